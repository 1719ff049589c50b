package sam

import (
	"strings"

	"assay/internal/estate"
)

// restDomain adds the custom domain of a REST API.
//
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-property-api-domainconfiguration.html
func (x *expander) restDomain(at origin, id string, d *estate.Value) {
	if d == nil {
		return
	}
	if d.Kind() != estate.KindMap {
		x.partial("AWS::ApiGateway::DomainName", "the Domain of "+id+" is not known as a whole")
		return
	}
	at = at.from(d)
	name, certificate := get(d, "DomainName"), get(d, "CertificateArn")
	kind := get(d, "EndpointConfiguration")
	if kind == nil {
		kind = str("REGIONAL")
	}
	private := is(kind, "PRIVATE")
	typeName, stem := "AWS::ApiGateway::DomainName", "ApiGatewayDomainName"
	if private {
		typeName, stem = typeName+"V2", stem+"V2"
	}
	domainID := hashed(stem, name)
	x.renamed[id+".DomainName"] = domainID
	endpoint := object{"Types": list(kind), "IpAddressType": get(d, "IpAddressType")}
	props := object{"DomainName": name, "EndpointConfiguration": endpoint.value()}
	props.copyFrom(d, "SecurityPolicy", "EndpointAccessMode", "OwnershipVerificationCertificateArn")
	if private {
		props.copyFrom(d, "Policy")
	}
	if is(kind, "REGIONAL") {
		props["RegionalCertificateArn"] = certificate
	} else {
		props["CertificateArn"] = certificate
	}
	if tls := get(d, "MutualTlsAuthentication"); !private && !empty(tls) {
		props["MutualTlsAuthentication"] = tls
	}
	x.add(at, typeName, domainID, props)

	for _, base := range basePaths(d) {
		mapping := object{"RestApiId": ref(id), "Stage": ref(id + ".Stage")}
		mappingID := id + "BasePathMapping"
		if base != nil {
			plain := letters(base.AsString())
			mappingID = id + plain + "BasePathMapping"
			mapping["BasePath"] = base
			if normal := get(d, "NormalizeBasePath"); normal == nil || truth(normal) {
				mapping["BasePath"] = str(plain).At(base.Position())
			}
		}
		if private {
			mapping["DomainNameArn"] = ref(domainID)
			x.add(at, "AWS::ApiGateway::BasePathMappingV2", mappingID, mapping)
			continue
		}
		mapping["DomainName"] = ref(domainID)
		x.add(at, "AWS::ApiGateway::BasePathMapping", mappingID, mapping)
	}
	if endpoint := dig(d, "AccessAssociation", "VpcEndpointId"); private && endpoint != nil {
		x.add(at, "AWS::ApiGateway::DomainNameAccessAssociation",
			hashed("DomainNameAccessAssociation", list(endpoint, str(domainID))), object{
				"DomainNameArn": ref(domainID), "AccessAssociationSourceType": str("VPCE"),
				"AccessAssociationSource": endpoint,
			})
	}
	target := object{}
	route := get(d, "Route53")
	switch {
	case is(kind, "REGIONAL"):
		target["HostedZoneId"] = estate.Ref(domainID, "RegionalHostedZoneId")
		target["DNSName"] = estate.Ref(domainID, "RegionalDomainName")
	case is(kind, "EDGE"):
		target["HostedZoneId"] = str("Z2FDTNDATAQYW2") // CloudFront's zone, the same for all distributions
		target["DNSName"] = get(route, "DistributionDomainName")
		if target["DNSName"] == nil {
			target["DNSName"] = estate.Ref(domainID, "DistributionDomainName")
		}
	default:
		target["HostedZoneId"], target["DNSName"] = get(route, "VpcEndpointHostedZoneId"), get(route, "VpcEndpointDomainName")
	}
	x.records(at, d, target)
}

// basePaths are the paths under which a domain serves an API; nil stands for
// the root.
func basePaths(d *estate.Value) []*estate.Value {
	switch base := get(d, "BasePath"); {
	case empty(base):
		return []*estate.Value{nil}
	case base.Kind() == estate.KindList:
		return base.Items()
	default:
		return []*estate.Value{base}
	}
}

// letters keeps what a logical id may hold.
func letters(s string) string {
	return strings.Map(func(r rune) rune {
		if alphanumeric(string(r)) {
			return r
		}
		return -1
	}, s)
}

// records points DNS at a domain. Domains of one zone share a group.
func (x *expander) records(at origin, d *estate.Value, target object) {
	route := get(d, "Route53")
	if route == nil {
		return
	}
	zone := get(route, "HostedZoneId")
	if empty(zone) {
		zone = get(route, "HostedZoneName")
	}
	groupID := hashed("RecordSetGroup", zone)
	if truth(get(route, "SeparateRecordSetGroup")) {
		groupID = hashed("RecordSetGroup", list(zone, get(d, "DomainName")))
	}
	target["EvaluateTargetHealth"] = get(route, "EvaluateTargetHealth")
	record := func(kind string) *estate.Value {
		set := object{"Name": get(d, "DomainName"), "Type": str(kind), "AliasTarget": target.value()}
		set.copyFrom(route, "Region", "SetIdentifier")
		return set.value()
	}
	var sets *estate.Value
	if had := x.byID[groupID]; had != nil {
		sets = had.Properties.Field("RecordSets")
	}
	sets = appended(sets, record("A"))
	if truth(get(route, "IpV6")) {
		sets = appended(sets, record("AAAA"))
	}
	group := object{"RecordSets": sets}
	group.copyFrom(route, "HostedZoneId", "HostedZoneName")
	x.add(at.from(route), "AWS::Route53::RecordSetGroup", groupID, group)
}
