package cloudformation

import (
	"net"
	"strconv"

	"github.com/apparentlymart/go-cidr/cidr"

	"go.yaml.in/yaml/v4"

	"assay/internal/estate"
)

// hostBits are the bits that Fn::Cidr leaves to hosts when it is not told.
const hostBits = 8

// maxRanges is the most that Fn::Cidr makes.
const maxRanges = 256

// cidrs is Fn::Cidr: so many ranges out of one, each with so many bits for
// hosts.
// source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-cidr.html
func (t *template) cidrs(n *yaml.Node, args []*estate.Value) *estate.Value {
	block, known := args[0].Scalar()
	if !known {
		return derived(reasonComputed, args[0])
	}
	count, bits := 0, hostBits
	for i, to := range []*int{&count, &bits} {
		if i+1 >= len(args) {
			break
		}
		text, known := args[i+1].Scalar()
		if !known {
			return derived(reasonComputed, args[i+1])
		}
		number, err := strconv.Atoi(text)
		if err != nil {
			return t.malformed(n, "Fn::Cidr", "whole numbers after the range, not "+text)
		}
		*to = number
	}
	_, network, err := net.ParseCIDR(block)
	if err != nil {
		return t.malformed(n, "Fn::Cidr", "an address range such as 10.0.0.0/16, not "+block)
	}
	ones, size := network.Mask.Size()
	added := size - bits - ones
	if count < 1 || count > maxRanges || bits < 1 || bits > size || added < 0 {
		return t.malformed(n, "Fn::Cidr", "1 to 256 ranges that are smaller than "+block)
	}
	ranges := make([]*estate.Value, count)
	for i := range ranges {
		subnet, err := cidr.Subnet(network, added, i)
		if err != nil {
			return t.malformed(n, "Fn::Cidr", "a range with room for "+strconv.Itoa(count)+" ranges; "+block+" has none")
		}
		ranges[i] = estate.String(subnet.String())
	}
	return estate.List(ranges...)
}
