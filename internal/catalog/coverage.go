package catalog

import "assay/internal/check"

// Coverage counts the requirements of a framework by what answers for them.
// Technical, Mixed, Manual, Inherited and OutOfScope add up to Requirements.
type Coverage struct {
	Framework    string `json:"framework"`
	Requirements int    `json:"requirements"`
	Technical    int    `json:"technical"`
	Mixed        int    `json:"mixed"`
	Manual       int    `json:"manual"`
	Inherited    int    `json:"inherited"`
	OutOfScope   int    `json:"outOfScope"`
	// Of those technical and mixed:
	Checked   int `json:"checked"`   // some check bears on it
	Decidable int `json:"decidable"` // a check decides each of its objectives
	// Deciding counts them by how many checks decide one of their objectives:
	// none, one, two, three or more.
	Deciding [4]int `json:"deciding"`
}

// Coverage counts the requirements of a framework.
func (c *Catalog) Coverage(f *Framework) Coverage {
	cov := Coverage{Framework: f.ID, Requirements: len(f.Requirements)}
	for i := range f.Requirements {
		r := &f.Requirements[i]
		switch {
		case r.OutOfScope != "":
			cov.OutOfScope++
			continue
		case r.Assessment == Manual:
			cov.Manual++
			continue
		case r.Assessment == Inherited:
			cov.Inherited++
			continue
		case r.Assessment == Mixed:
			cov.Mixed++
		default:
			cov.Technical++
		}
		bearing, deciding := map[string]bool{}, map[string]bool{}
		decidable := true
		for _, o := range r.Objectives {
			decided := false
			for _, t := range c.Bearing(o) {
				bearing[t.ID] = true
				if t.Establishes[o].How == check.Decides {
					deciding[t.ID], decided = true, true
				}
			}
			decidable = decidable && decided
		}
		if len(bearing) > 0 {
			cov.Checked++
		}
		if decidable {
			cov.Decidable++
		}
		cov.Deciding[min(len(deciding), len(cov.Deciding)-1)]++
	}
	return cov
}
