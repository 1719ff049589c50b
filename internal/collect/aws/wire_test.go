package aws

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/encoding/cbor"
	smithytime "github.com/aws/smithy-go/time"
	"github.com/aws/smithy-go/traits"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/aws/smithy-go/transport/http/protocol/awsjson"
	"github.com/aws/smithy-go/transport/http/protocol/restjson1"
	"github.com/aws/smithy-go/transport/http/protocol/restxml"
	"github.com/aws/smithy-go/transport/http/protocol/rpcv2"
)

// wire writes the answers of one service in its protocol. A service of the SDK
// either can write its shapes by their schemas, or has a deserializer that was
// generated: then the names on the wire are learned from that source. Either
// way the client reads back what was meant, or the test fails (fake_test.go).
type wire struct {
	protocol string // awsjson, restjson1, restxml, awsquery, ec2query, rpcv2
	schemas  bool   // shapes write themselves
	funcs    map[string]string

	mu    sync.Mutex
	plans map[string]*wirePlan
}

// wirePlan is what a generated function reads.
type wirePlan struct {
	byField map[string]wireMember
	item    wireMember // of a list or map; its name is the element's
}

type wireMember struct {
	name  string
	next  string // function that reads it; empty for a plain value
	time  string // ParseEpochSeconds, ParseDateTime, ParseHTTPDate
	flat  bool
	attr  bool
	field string
}

// newWire learns a service from the directory of its source.
func newWire(dir string) (*wire, error) {
	w := &wire{funcs: map[string]string{}, plans: map[string]*wirePlan{}}
	source, err := os.ReadFile(filepath.Join(dir, "deserializers.go"))
	if os.IsNotExist(err) {
		client, err := os.ReadFile(filepath.Join(dir, "api_client.go"))
		if err != nil {
			return nil, err
		}
		m := regexp.MustCompile(`options\.Protocol = (\w+)\.`).FindSubmatch(client)
		if m == nil {
			return nil, fmt.Errorf("%s: no protocol", dir)
		}
		w.protocol, w.schemas = string(m[1]), true
		return w, nil
	} else if err != nil {
		return nil, err
	}
	named := regexp.MustCompile(`^(?:\(m \*(\w+)\) HandleDeserialize|(\w+))\(`)
	for _, text := range strings.Split(string(source), "\nfunc ")[1:] {
		if m := named.FindStringSubmatch(text[:min(len(text), 200)]); m != nil {
			w.funcs[m[1]+m[2]] = text
		}
	}
	for name := range w.funcs {
		prefix, _, ok := strings.Cut(name, "_")
		if !ok || !strings.HasPrefix(prefix, "aws") {
			continue
		}
		w.protocol = map[string]string{"awsAwsjson10": "awsjson", "awsAwsjson11": "awsjson", "awsRestjson1": "restjson1", "awsRestxml": "restxml", "awsEc2query": "ec2query"}[prefix]
		w.funcs[""] = prefix + "_deserialize"
		break
	}
	if w.protocol == "" {
		return nil, fmt.Errorf("%s: a protocol that is not known", dir)
	}
	return w, nil
}

func (w *wire) contentType() string {
	return map[string]string{"awsjson": "application/x-amz-json-1.1", "restjson1": "application/json", "rpcv2": "application/cbor"}[w.protocol]
}

// answer is an Output of an operation on the wire.
func (w *wire) answer(operation string, out any) (http.Header, []byte, error) {
	header := http.Header{}
	if w.contentType() != "" {
		header.Set("Content-Type", w.contentType())
	} else {
		header.Set("Content-Type", "text/xml")
	}
	if w.protocol == "rpcv2" {
		header.Set("Smithy-Protocol", "rpc-v2-cbor")
	}
	if !w.schemas {
		body, err := w.learned(operation, reflect.ValueOf(out).Elem(), header)
		return header, body, err
	}
	shape, ok := out.(smithy.Serializable)
	if !ok {
		return nil, nil, fmt.Errorf("%T cannot write itself", out)
	}
	body, err := w.written(operation, shape, header)
	return header, body, err
}

// nothing is an answer in which nothing stands.
func (w *wire) nothing(operation string) (http.Header, []byte) {
	header := http.Header{}
	switch w.protocol {
	case "awsjson", "restjson1":
		return header, []byte("{}")
	case "rpcv2":
		header.Set("Smithy-Protocol", "rpc-v2-cbor")
		return header, cbor.Encode(cbor.Map{})
	case "awsquery":
		return header, rooted(operation, nil)
	case "ec2query":
		return header, []byte("<" + operation + "Response/>")
	}
	return header, nil
}

// written is an answer by the SDK's own serializers, for which an answer is a
// request: the shapes are the same, and so are the bindings to headers.
func (w *wire) written(operation string, out smithy.Serializable, header http.Header) ([]byte, error) {
	service := smithy.NewServiceSchema(smithy.NewSchema(smithy.ShapeID{Name: "Service"}, smithy.ShapeTypeService, 0), "")
	var protocol interface {
		SerializeRequest(context.Context, *smithy.OperationSchema, smithy.Serializable, *smithyhttp.Request) error
	}
	switch w.protocol {
	case "awsjson":
		protocol = awsjson.New11(service)
	case "restjson1":
		protocol = restjson1.New(service)
	case "rpcv2":
		protocol = rpcv2.NewCBOR(service)
	case "awsquery", "restxml":
		protocol = restxml.New(service) // queries are answered in the same XML
	default:
		return nil, fmt.Errorf("protocol %s is not known", w.protocol)
	}
	input := smithy.NewSchema(smithy.ShapeID{Name: "Answer"}, smithy.ShapeTypeStructure, 0)
	schema := smithy.NewSchema(smithy.ShapeID{Name: operation}, smithy.ShapeTypeOperation, 0, &traits.HTTP{Method: "POST", URI: "/", Code: 200})
	request := smithyhttp.NewStackRequest().(*smithyhttp.Request)
	if err := protocol.SerializeRequest(context.Background(), smithy.NewOperationSchema(schema, input, input), out, request); err != nil {
		return nil, err
	}
	for name, values := range request.Header {
		if name != "Content-Length" && name != "Content-Type" && name != "Accept" {
			header[name] = values
		}
	}
	var body []byte
	if stream := request.GetStream(); stream != nil {
		var err error
		if body, err = io.ReadAll(stream); err != nil {
			return nil, err
		}
	}
	if w.protocol == "awsquery" {
		return rooted(operation, body), nil
	}
	if len(body) == 0 && w.protocol != "rpcv2" {
		body = []byte("{}")
	}
	return body, nil
}

// rooted puts what is in the root of an XML document into the two elements that
// a query answers.
func rooted(operation string, document []byte) []byte {
	text := string(document)
	if start, end := strings.Index(text, ">"), strings.LastIndex(text, "</"); start >= 0 && end > start {
		text = text[start+1 : end]
	} else {
		text = ""
	}
	return []byte("<" + operation + "Response><" + operation + "Result>" + text + "</" + operation + "Result><ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></" + operation + "Response>")
}

var (
	callInto  = regexp.MustCompile(`(\w+_deserialize(?:Op)?Document\w+)\((&?output)(?:\.(\w+))?[,)]`)
	caseJSON  = regexp.MustCompile(`(?m)^\t\tcase "([^"]+)":$`)
	caseXML   = regexp.MustCompile(`(?m)^\t\tcase strings\.EqualFold\("([^"]+)", (t\.Name\.Local|name)\):$`)
	assigned  = regexp.MustCompile(`\bsv\.(\w+)`)
	member    = regexp.MustCompile(`uv = &types\.\w+Member(\w+)\{`)
	delegated = regexp.MustCompile(`(aws\w+_deserializeDocument\w+)\(`)
	parsed    = regexp.MustCompile(`Parse(?:EpochSeconds|DateTime|HTTPDate)`)
	inHeader  = regexp.MustCompile(`response\.Header\.Values\("([^"]+)"\)`)
	wholeBody = regexp.MustCompile(`\bv\.(\w+) = `)
	bound     = regexp.MustCompile(`\bv\.(\w+)`)
)

// plan is what the generated function of a name reads.
func (w *wire) plan(fn string) (*wirePlan, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if p := w.plans[fn]; p != nil {
		return p, nil
	}
	text, ok := w.funcs[fn]
	if !ok {
		return nil, fmt.Errorf("the SDK has no %s", fn)
	}
	p := &wirePlan{byField: map[string]wireMember{}}
	cases := caseJSON
	if strings.Contains(w.protocol, "xml") || w.protocol == "ec2query" {
		cases = caseXML
	}
	at := cases.FindAllStringSubmatchIndex(text, -1)
	for i, m := range at {
		end := len(text)
		if i+1 < len(at) {
			end = at[i+1][0]
		}
		block := text[m[1]:end]
		one := describe(block)
		one.name = text[m[2]:m[3]]
		one.attr = len(m) > 4 && m[4] >= 0 && text[m[4]:m[5]] == "name"
		if f := assigned.FindStringSubmatch(block); f != nil {
			one.field = f[1]
		} else if f := member.FindStringSubmatch(block); f != nil {
			one.field = f[1]
		}
		if one.field == "" {
			p.item = one
		} else {
			p.byField[one.field] = one
		}
	}
	if len(at) == 0 {
		p.item = describe(text[strings.Index(text, "\n")+1:])
	}
	w.plans[fn] = p
	return p, nil
}

func describe(block string) wireMember {
	var m wireMember
	if f := delegated.FindStringSubmatch(block); f != nil {
		m.next, m.flat = strings.CutSuffix(f[1], "Unwrapped")
	}
	m.time = parsed.FindString(block)
	return m
}

// learned is an answer by the names that the generated deserializer reads.
func (w *wire) learned(operation string, out reflect.Value, header http.Header) ([]byte, error) {
	prefix := w.funcs[""]
	if text, ok := w.funcs[prefix+"OpHttpBindings"+operation+"Output"]; ok {
		at := inHeader.FindAllStringSubmatchIndex(text, -1)
		for i, m := range at {
			end := len(text)
			if i+1 < len(at) {
				end = at[i+1][0]
			}
			f := bound.FindStringSubmatch(text[m[1]:end])
			if f == nil {
				continue
			}
			if v := reflect.Indirect(out.FieldByName(f[1])); v.IsValid() && !v.IsZero() {
				header.Set(text[m[2]:m[3]], fmt.Sprint(v.Interface()))
			}
		}
	}
	root := callInto.FindStringSubmatch(w.funcs[prefix+"Op"+operation])
	if operation == "GetBucketLocation" { // read by a function of its own: the root is the value
		return []byte(`<LocationConstraint>` + out.FieldByName("LocationConstraint").String() + `</LocationConstraint>`), nil
	}
	if root == nil {
		return nil, nil // nothing is read from the body
	}
	fn, value := root[1], out
	if root[3] != "" {
		value = out.FieldByName(root[3])
	} else if root[2] == "output" { // a payload: the body is one member
		f := wholeBody.FindStringSubmatch(w.funcs[fn])
		if f == nil {
			return nil, nil
		}
		return fmt.Append(nil, reflect.Indirect(out.FieldByName(f[1])).Interface()), nil
	}
	value = reflect.Indirect(value)
	if !value.IsValid() {
		return nil, nil
	}
	switch w.protocol {
	case "awsjson", "restjson1":
		tree, err := w.json(fn, value)
		if err != nil {
			return nil, err
		}
		return json.Marshal(tree)
	}
	var b strings.Builder
	b.WriteString("<" + operation + "Response")
	if err := w.xmlBody(&b, fn, value); err != nil {
		return nil, err
	}
	b.WriteString("</" + operation + "Response>")
	return []byte(b.String()), nil
}

func stamp(t time.Time, how string) any {
	switch how {
	case "ParseEpochSeconds":
		return smithytime.FormatEpochSeconds(t)
	case "ParseHTTPDate":
		return smithytime.FormatHTTPDate(t)
	}
	return smithytime.FormatDateTime(t)
}

// present follows pointers; ok is false for what is not there.
func present(v reflect.Value) (reflect.Value, bool) {
	for v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface {
		if v.IsNil() {
			return v, false
		}
		v = v.Elem()
	}
	switch v.Kind() {
	case reflect.Slice, reflect.Map:
		return v, !v.IsNil()
	case reflect.String:
		return v, true
	}
	return v, v.IsValid()
}

// json is a value as the function reads it.
func (w *wire) json(fn string, v reflect.Value) (any, error) {
	if fn == "" {
		return v.Interface(), nil // numbers, texts, bytes in base64
	}
	p, err := w.plan(fn)
	if err != nil {
		return nil, err
	}
	one := func(m wireMember, v reflect.Value) (any, error) {
		if t, ok := v.Interface().(time.Time); ok {
			return stamp(t, m.time), nil
		}
		return w.json(m.next, v)
	}
	switch v.Kind() {
	case reflect.Slice:
		items := make([]any, v.Len())
		for i := range items {
			item, ok := present(v.Index(i))
			if !ok {
				continue
			}
			if items[i], err = one(p.item, item); err != nil {
				return nil, err
			}
		}
		return items, nil
	case reflect.Map:
		m := map[string]any{}
		for _, key := range v.MapKeys() {
			value, ok := present(v.MapIndex(key))
			if !ok {
				continue
			}
			if m[key.String()], err = one(p.item, value); err != nil {
				return nil, err
			}
		}
		return m, nil
	case reflect.Struct:
		m := map[string]any{}
		err := members(v, func(field string, v reflect.Value) error {
			known, ok := p.byField[field]
			if !ok {
				return nil // bound to a header, or the client would not read it: the check of answers tells
			}
			var err error
			m[known.name], err = one(known, v)
			return err
		})
		return m, err
	}
	return v.Interface(), nil
}

// members hands on the fields of a struct, or the member of a union, that are
// there.
func members(v reflect.Value, f func(field string, v reflect.Value) error) error {
	if _, name, ok := strings.Cut(v.Type().Name(), "Member"); ok && v.NumField() > 0 && v.Type().Field(0).Name == "Value" {
		return f(name, v.Field(0))
	}
	for i := range v.NumField() {
		field := v.Type().Field(i)
		if !field.IsExported() || field.Name == "ResultMetadata" {
			continue
		}
		value, ok := present(v.Field(i))
		if !ok || field.Type.Kind() == reflect.String && value.Len() == 0 {
			continue
		}
		if err := f(field.Name, value); err != nil {
			return err
		}
	}
	return nil
}

// xmlBody writes a value from after the name of its element: attributes, > and
// what is inside.
func (w *wire) xmlBody(b *strings.Builder, fn string, v reflect.Value) error {
	if fn == "" {
		b.WriteByte('>')
		return xml.EscapeText(b, fmt.Append(nil, v.Interface()))
	}
	p, err := w.plan(fn)
	if err != nil {
		return err
	}
	element := func(m wireMember, v reflect.Value) error {
		b.WriteString("<" + m.name)
		var err error
		if t, ok := v.Interface().(time.Time); ok {
			switch at := stamp(t, m.time).(type) {
			case string:
				b.WriteString(">" + at)
			case float64:
				b.WriteString(">" + strconv.FormatFloat(at, 'f', -1, 64))
			}
		} else {
			err = w.xmlBody(b, m.next, v)
		}
		b.WriteString("</" + m.name + ">")
		return err
	}
	switch v.Kind() {
	case reflect.Slice:
		b.WriteByte('>')
		for i := range v.Len() {
			item, ok := present(v.Index(i))
			if !ok {
				continue
			}
			if err := element(p.item, item); err != nil {
				return err
			}
		}
	case reflect.Struct:
		_ = members(v, func(field string, v reflect.Value) error {
			if m := p.byField[field]; m.attr {
				b.WriteString(fmt.Sprintf(` xmlns:xsi="xsi" %s="%v"`, m.name, v.Interface()))
			}
			return nil
		})
		b.WriteByte('>')
		return members(v, func(field string, v reflect.Value) error {
			m, ok := p.byField[field]
			if !ok || m.attr {
				return nil
			}
			if !m.flat {
				return element(m, v)
			}
			list, err := w.plan(m.next)
			if err != nil {
				return err
			}
			for i := range v.Len() {
				if item, ok := present(v.Index(i)); ok {
					if err := element(wireMember{name: m.name, next: list.item.next, time: list.item.time}, item); err != nil {
						return err
					}
				}
			}
			return nil
		})
	case reflect.Map:
		return fmt.Errorf("%s: maps in XML are not written", fn)
	default:
		b.WriteByte('>')
		return xml.EscapeText(b, fmt.Append(nil, v.Interface()))
	}
	return nil
}

// refusal is an error of the service in its protocol.
func (w *wire) refusal(service, code, message string) (http.Header, []byte) {
	header := http.Header{"X-Amzn-Requestid": {"1"}}
	text := func(s string) string {
		var b strings.Builder
		_ = xml.EscapeText(&b, []byte(s))
		return b.String()
	}
	pair := "<Code>" + code + "</Code><Message>" + text(message) + "</Message>"
	switch w.protocol {
	case "awsjson":
		header.Set("Content-Type", w.contentType())
		body, _ := json.Marshal(map[string]string{"__type": "com.amazonaws#" + code, "message": message})
		return header, body
	case "restjson1":
		header.Set("Content-Type", w.contentType())
		header.Set("X-Amzn-Errortype", code+":http://internal.amazon.com/")
		body, _ := json.Marshal(map[string]string{"Message": message, "message": message})
		return header, body
	case "rpcv2":
		header.Set("Content-Type", w.contentType())
		header.Set("Smithy-Protocol", "rpc-v2-cbor")
		return header, cbor.Encode(cbor.Map{"__type": cbor.String("com.amazonaws#" + code), "message": cbor.String(message)})
	case "ec2query":
		return header, []byte("<Response><Errors><Error>" + pair + "</Error></Errors><RequestID>1</RequestID></Response>")
	case "restxml":
		if service == "S3" {
			return header, []byte("<Error>" + pair + "<RequestId>1</RequestId></Error>")
		}
	}
	return header, []byte("<ErrorResponse><Error><Type>Sender</Type>" + pair + "</Error><RequestId>1</RequestId></ErrorResponse>")
}

// extended is an answer with members that the SDK does not know, or the same
// where the protocol's form has no place for one.
func (w *wire) extended(body []byte) []byte {
	switch w.protocol {
	case "awsjson", "restjson1":
		var m map[string]json.RawMessage
		if json.Unmarshal(body, &m) != nil {
			return body
		}
		m["AddedLater"] = json.RawMessage(`{"Depth":[1,{"More":null}],"Text":"x"}`)
		out, _ := json.Marshal(m)
		return out
	case "rpcv2":
		v, err := cbor.Decode(body)
		if m, ok := v.(cbor.Map); err == nil && ok {
			m["AddedLater"] = cbor.List{cbor.String("x"), cbor.Map{"Depth": cbor.Uint(1)}}
			return cbor.Encode(m)
		}
		return body
	}
	end := strings.LastIndex(string(body), "</")
	if w.protocol == "awsquery" {
		end = strings.Index(string(body), "Result>") + len("Result>")
	}
	if end < 0 {
		return body
	}
	return []byte(string(body[:end]) + "<AddedLater><Depth>1</Depth></AddedLater>" + string(body[end:]))
}
