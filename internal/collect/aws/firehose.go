package aws

import (
	"context"
	"reflect"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/firehose"
	"github.com/aws/aws-sdk-go-v2/service/firehose/types"

	"assay/internal/estate"
)

const deliveryStream = "AWS::KinesisFirehose::DeliveryStream"

func firehoseService() service {
	return service{name: "firehose", reads: []read{{
		types:   []string{deliveryStream},
		actions: []string{"firehose:ListDeliveryStreams", "firehose:DescribeDeliveryStream", listingAliases, tagging},
		list:    readDeliveryStreams,
	}}}
}

// readDeliveryStreams reads all streams: only the description of one says
// whether a function transforms what it delivers.
func readDeliveryStreams(ctx context.Context, s *scope) error {
	client := firehose.NewFromConfig(s.cfg)
	var names []string
	in := &firehose.ListDeliveryStreamsInput{Limit: aws.Int32(100)}
	for {
		out, err := do(ctx, s, "firehose:ListDeliveryStreams", client.ListDeliveryStreams, in)
		if err != nil {
			return err
		}
		s.paged()
		names = append(names, out.DeliveryStreamNames...)
		if !aws.ToBool(out.HasMoreDeliveryStreams) || len(out.DeliveryStreamNames) == 0 {
			break
		}
		in.ExclusiveStartDeliveryStreamName = aws.String(names[len(names)-1])
	}
	return forEach(ctx, s, names, 1, func(ctx context.Context, name string) error {
		arn := s.arnOf("firehose", "deliverystream/"+name)
		out, err := do(ctx, s, "firehose:DescribeDeliveryStream", client.DescribeDeliveryStream, &firehose.DescribeDeliveryStreamInput{DeliveryStreamName: aws.String(name)})
		switch {
		case none(err, notFound):
			return nil
		case err != nil && over(err):
			return err
		case err != nil:
			s.lost(deliveryStream, arn, fields{"DeliveryStreamName": estate.String(name)}, err)
			return nil
		}
		s.deliveryStream(ctx, orZero(out.DeliveryStreamDescription), arn)
		return nil
	})
}

func (s *scope) deliveryStream(ctx context.Context, d types.DeliveryStreamDescription, arn string) {
	const call = "firehose:DescribeDeliveryStream"
	set := fields{"DeliveryStreamEncryptionConfigurationInput": nil, "Tags": s.tagsOf(ctx, "firehose:deliverystream", arn)}
	for property := range s.run.model.Schema(deliveryStream).Properties {
		if strings.HasSuffix(property, "SourceConfiguration") || strings.HasSuffix(property, "DestinationConfiguration") {
			set[property] = nil
		}
	}
	if e := d.DeliveryStreamEncryptionConfiguration; e != nil && (e.Status == types.DeliveryStreamEncryptionStatusEnabled || e.Status == types.DeliveryStreamEncryptionStatusEnabling) {
		set["DeliveryStreamEncryptionConfigurationInput"] = some(fields{"KeyType": word(string(e.KeyType)), "KeyARN": s.keyOf(ctx, e.KeyARN, arn)})
	}
	s.configurations(set, orZero(d.Source), call)
	leads := false
	for _, destination := range d.Destinations {
		if destination.ExtendedS3DestinationDescription != nil {
			destination.S3DestinationDescription = nil // the same again, and less of it
		}
		s.configurations(set, destination, call)
	}
	for _, v := range set {
		for _, processor := range list(v.Path("ProcessingConfiguration.Processors")) {
			leads = leads || processor.Field("Type").AsString() == "Lambda"
		}
	}
	s.add(found{typ: deliveryStream, id: arn, name: aws.ToString(d.DeliveryStreamName), from: d, set: set, call: call, leads: leads})
}

// configurations puts the descriptions that one of the SDK's structs holds into
// the properties of their names: KinesisStreamSourceDescription is the
// KinesisStreamSourceConfiguration of a template.
func (s *scope) configurations(set fields, from any, call string) {
	v := reflect.ValueOf(from)
	for i := range v.NumField() {
		name, ok := strings.CutSuffix(v.Type().Field(i).Name, "Description")
		property := name + "Configuration"
		if _, known := set[property]; !ok || !known || v.Field(i).IsNil() {
			continue
		}
		value := s.as(deliveryStream, property, v.Field(i).Interface(), call)
		withheld := estate.Unknown("withheld", deliveryStream+"."+property)
		// AWS answers some secrets of the other end in clear. They go no further.
		if value.Field("HECToken") != nil {
			value = value.With("HECToken", withheld)
		}
		if request := value.Field("RequestConfiguration"); request.Field("CommonAttributes") != nil {
			value = value.With("RequestConfiguration", request.With("CommonAttributes", withheld))
		}
		set[property] = value
	}
}
