package catalog

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"assay/internal/check"
)

// Peer is another tool, whose ids checks may name for the same thing.
type Peer struct {
	ID      string `yaml:"id" json:"id"`
	Title   string `yaml:"title" json:"title"`
	Pattern string `yaml:"pattern" json:"pattern"` // RE2, of a whole id
}

// peersName is the name of a file that declares peers.
const peersName = "peers.yaml"

func parsePeers(name string, data []byte) ([]Peer, error) {
	var file struct {
		Peers []Peer `yaml:"peers"`
	}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	dec.KnownFields(true)
	if err := dec.Decode(&file); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	for _, p := range file.Peers {
		if _, err := regexp.Compile(p.Pattern); err != nil || p.ID == "" || p.Title == "" || p.Pattern == "" {
			return nil, fmt.Errorf("%s: peer %q: expected id, title and a pattern of its ids", name, p.ID)
		}
	}
	return file.Peers, nil
}

// lintPeers holds the peers that a check names, and their ids, to those that
// are declared.
func (c *Catalog) lintPeers(f *check.File) []error {
	var errs []error
	for name, ids := range f.Peers {
		i := slices.IndexFunc(c.Peers, func(p Peer) bool { return p.ID == name })
		if i < 0 {
			var known []string
			for _, p := range c.Peers {
				known = append(known, p.ID)
			}
			errs = append(errs, f.At("peers", "peers: no tool %s is declared; there are %s", name, strings.Join(known, ", ")))
			continue
		}
		form := regexp.MustCompile(`^(` + c.Peers[i].Pattern + `)$`)
		for _, id := range ids {
			if !form.MatchString(id) {
				errs = append(errs, f.At("peers", "peers: %s is no id of %s; expected the form %s", id, c.Peers[i].Title, c.Peers[i].Pattern))
			}
		}
	}
	slices.SortFunc(errs, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return errs
}

// OfPeer lists the checks that name an id of a peer, or of any peer where the
// peer is empty, ordered by id.
func (c *Catalog) OfPeer(peer, id string) []*check.Typed {
	var found []*check.Typed
	for _, t := range c.Checks {
		for name, ids := range t.Peers {
			if (peer == "" || name == peer) && slices.ContainsFunc(ids, func(own string) bool { return strings.EqualFold(own, id) }) {
				found = append(found, t)
				break
			}
		}
	}
	return found
}
