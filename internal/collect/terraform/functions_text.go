package terraform

import (
	"bytes"
	"compress/gzip"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"net"
	"unicode/utf8"

	"github.com/apparentlymart/go-cidr/cidr"
	"github.com/google/uuid"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"golang.org/x/text/encoding/ianaindex"
)

func toHex(b []byte) string { return hex.EncodeToString(b) }

func base64Of(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

func toBase64(s string) (string, error) { return base64Of([]byte(s)), nil }

func fromBase64(s string) (string, error) {
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return "", errors.New("expected base64")
	}
	if !utf8.Valid(b) {
		return "", errors.New("the bytes are not a text in UTF-8")
	}
	return string(b), nil
}

func gzipped(s string) (string, error) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := io.WriteString(z, s); err != nil {
		return "", err
	}
	if err := z.Close(); err != nil {
		return "", err
	}
	return base64Of(b.Bytes()), nil
}

// digests are the hashes that functions offer. They fingerprint files here and
// protect nothing.
var digests = map[string]func() hash.Hash{"md5": md5.New, "sha1": sha1.New, "sha256": sha256.New, "sha512": sha512.New}

func digest(name string, data []byte) []byte {
	h := digests[name]()
	h.Write(data) // a hash never fails
	return h.Sum(nil)
}

func hashed(name string, write func([]byte) string) func(string) (string, error) {
	return func(s string) (string, error) { return write(digest(name, []byte(s))), nil }
}

// encoded is a function of a text and the name of a character encoding.
func encoded(f func(s, encoding string) (string, error)) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "text", Type: cty.String}, {Name: "encoding", Type: cty.String}},
		Type:   function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			s, err := f(args[0].AsString(), args[1].AsString())
			if err != nil {
				return cty.NilVal, err
			}
			return cty.StringVal(s), nil
		},
	})
}

func encodeText(s, name string) (string, error) {
	e, err := ianaindex.IANA.Encoding(name)
	if err != nil || e == nil {
		return "", fmt.Errorf("%q is not an encoding of the IANA list", name)
	}
	b, err := e.NewEncoder().Bytes([]byte(s))
	if err != nil {
		return "", fmt.Errorf("the text cannot be written in %s", name)
	}
	return base64Of(b), nil
}

func decodeText(s, name string) (string, error) {
	e, err := ianaindex.IANA.Encoding(name)
	if err != nil || e == nil {
		return "", fmt.Errorf("%q is not an encoding of the IANA list", name)
	}
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return "", errors.New("expected base64")
	}
	text, err := e.NewDecoder().Bytes(b)
	if err != nil {
		return "", fmt.Errorf("the bytes are not a text in %s", name)
	}
	return string(text), nil
}

// uuidNamespaces are the names that uuidv5 has for namespaces of RFC 4122.
var uuidNamespaces = map[string]uuid.UUID{"dns": uuid.NameSpaceDNS, "url": uuid.NameSpaceURL, "oid": uuid.NameSpaceOID, "x500": uuid.NameSpaceX500}

var uuidFunc = function.New(&function.Spec{
	Params: []function.Parameter{{Name: "namespace", Type: cty.String}, {Name: "name", Type: cty.String}},
	Type:   function.StaticReturnType(cty.String),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		space, ok := uuidNamespaces[args[0].AsString()]
		if !ok {
			var err error
			if space, err = uuid.Parse(args[0].AsString()); err != nil {
				return cty.NilVal, function.NewArgErrorf(0, "expected dns, url, oid, x500 or a UUID")
			}
		}
		return cty.StringVal(uuid.NewSHA1(space, []byte(args[1].AsString())).String()), nil
	},
})

// onNetwork is a function about address ranges.
func onNetwork(t cty.Type, f func([]cty.Value) (cty.Value, error), params ...function.Parameter) function.Function {
	return function.New(&function.Spec{
		Params: params,
		Type:   function.StaticReturnType(t),
		Impl:   func(args []cty.Value, _ cty.Type) (cty.Value, error) { return f(args) },
	})
}

func parseNetwork(v cty.Value) (*net.IPNet, error) {
	_, network, err := net.ParseCIDR(v.AsString())
	if err != nil {
		return nil, function.NewArgErrorf(0, "expected an address range such as 10.0.0.0/16")
	}
	return network, nil
}

func netmask(s string) (string, error) {
	_, network, err := net.ParseCIDR(s)
	if err != nil || len(network.Mask) != net.IPv4len {
		return "", errors.New("expected an IPv4 address range such as 10.0.0.0/16")
	}
	return net.IP(network.Mask).String(), nil
}

// cidrSubnetsFunc lays ranges behind each other, each by as many bits smaller
// as its argument says.
var cidrSubnetsFunc = function.New(&function.Spec{
	Params:   []function.Parameter{{Name: "network", Type: cty.String}},
	VarParam: &function.Parameter{Name: "bits", Type: cty.Number},
	Type:     function.StaticReturnType(cty.List(cty.String)),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		network, err := parseNetwork(args[0])
		if err != nil {
			return cty.NilVal, err
		}
		if len(args) == 1 {
			return cty.ListValEmpty(cty.String), nil
		}
		ones, _ := network.Mask.Size()
		var ranges []cty.Value
		var last *net.IPNet
		for i, arg := range args[1:] {
			bits, _ := arg.AsBigFloat().Int64()
			if bits < 1 || bits > 32 {
				return cty.NilVal, function.NewArgErrorf(i+1, "expected 1 to 32 bits")
			}
			size := ones + int(bits)
			if last == nil {
				if last, err = cidr.Subnet(network, int(bits), 0); err != nil {
					return cty.NilVal, function.NewArgError(i+1, err)
				}
			} else {
				next, rolled := cidr.NextSubnet(last, size)
				if rolled || !network.Contains(next.IP) {
					return cty.NilVal, function.NewArgErrorf(i+1, "the range has no room for a subnet of %d bits", size)
				}
				last = next
			}
			ranges = append(ranges, cty.StringVal(last.String()))
		}
		return cty.ListVal(ranges), nil
	},
})
