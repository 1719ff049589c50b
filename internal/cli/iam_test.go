package cli

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"testing"

	"assay/iam"
)

const request = `{"id":%q,"principal":"arn:aws:iam::111122223333:user/ann","action":"s3:GetObject","resource":"*","resourceAccount":"111122223333","identityPolicies":[{"Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}}]%s}`

// TestDecideStreams asks, reads the answer, and asks again: an answer does not
// wait for the next request.
func TestDecideStreams(t *testing.T) {
	in, ask := io.Pipe()
	answers, out := io.Pipe()
	done := make(chan int)
	var stderr bytes.Buffer
	go func() {
		code := Run(context.Background(), []string{"iam", "decide"}, Streams{In: in, Out: out, Err: &stderr})
		out.Close()
		done <- code
	}()
	r := bufio.NewReader(answers)
	for _, id := range []string{"a", "b", "c"} {
		fmt.Fprintf(ask, request+"\n", id, "")
		line, err := r.ReadString('\n')
		if want := `{"id":"` + id + `","decision":"allowed"`; err != nil || !strings.HasPrefix(line, want) {
			t.Fatalf("got %q, %v; want %s…", line, err, want)
		}
	}
	ask.Close()
	if code := <-done; code != 0 {
		t.Errorf("exit code %d\n%s", code, &stderr)
	}
}

// TestDecideByteOrderMark: some editors begin a file with one.
func TestDecideByteOrderMark(t *testing.T) {
	var out, stderr bytes.Buffer
	code := Run(context.Background(), []string{"iam", "decide"}, Streams{In: strings.NewReader("\ufeff" + fmt.Sprintf(request, "a", "")), Out: &out, Err: &stderr})
	if want := `{"id":"a","decision":"allowed"`; code != 0 || !strings.HasPrefix(out.String(), want) {
		t.Errorf("exit code %d, %s%s; want %s…", code, &out, &stderr, want)
	}
}

// TestDecideLongLines: a line of some megabytes is answered, one that is too
// long is refused, and so is no line after it.
func TestDecideLongLines(t *testing.T) {
	long := func(n int) string { return fmt.Sprintf(`,"context":{"aws:UserAgent":%q}`, strings.Repeat("x", n)) }
	in := fmt.Sprintf(request+"\n"+request+"\n"+request+"\n"+request, "6 MB", long(6<<20), "more", long(iam.MaxDocument), "much more", long(3*iam.MaxDocument), "short", "")
	var out, stderr bytes.Buffer
	code := Run(context.Background(), []string{"iam", "decide"}, Streams{In: strings.NewReader(in), Out: &out, Err: &stderr})
	if code != ExitIncomplete {
		t.Errorf("exit code %d\n%s", code, &stderr)
	}
	want := `{"id":"6 MB","decision":"allowed","contested":[],"gate":"","matched":[{"in":"identityPolicies","policy":0,"statement":0,"effect":"Allow"}],"missing":[]}
{"id":"more","error":{"line":1,"column":1,"message":"the line is longer than 8388608 bytes"}}
{"id":"much more","error":{"line":1,"column":1,"message":"the line is longer than 8388608 bytes"}}
{"id":"short","decision":"allowed","contested":[],"gate":"","matched":[{"in":"identityPolicies","policy":0,"statement":0,"effect":"Allow"}],"missing":[]}
`
	if out.String() != want {
		t.Errorf("got\n%.2000s\nwant\n%s", &out, want)
	}
	if !strings.Contains(stderr.String(), "standard input:3: column 1: the line is longer than 8388608 bytes") {
		t.Errorf("standard error: %s", &stderr)
	}
}
