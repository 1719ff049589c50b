package assess_test

import (
	"strings"
	"testing"

	"assay/internal/assess"
)

// TestReplayRefuses holds saved streams to one header, first, and one summary,
// last.
func TestReplayRefuses(t *testing.T) {
	const header, summary = `{"header":{"stream":1}}`, `{"summary":{}}`
	for _, tt := range []struct{ name, stream, want string }{
		{"whole", header + "\n" + summary + "\n", ""},
		{"blank_lines", "\n" + header + "\n\n" + summary + "\n", ""},
		{"empty", "", "f: empty"},
		{"no_header", "\n" + summary + "\n", "f:2: expected a header"},
		{"two_streams", header + "\n" + summary + "\n" + header + "\n" + summary + "\n", "f:3: a second header"},
		{"more_behind", header + "\n" + summary + "\n" + `{"decided":{}}` + "\n", "f:3: a message after the summary"},
		{"cut_off", header + "\n", "f:1: the stream ends without a summary"},
		{"newer", `{"header":{"stream":99}}` + "\n", "f:1: stream version 99 is newer"},
		{"not_json", "x\n", "f:1: not a message"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := assess.Replay("f", strings.NewReader(tt.stream), assess.Nothing{})
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("%v, expected %q", err, tt.want)
			}
		})
	}
}
