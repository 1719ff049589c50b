package report

import (
	"fmt"
	"strings"

	"assay/internal/assess"
)

// writeRegimes says first why the run reports on these frameworks, and what it
// leaves out.
func (t *text) writeRegimes(m *assess.Summary) {
	r := t.header.Regimes
	if r == nil {
		return
	}
	var flagged []string
	for _, one := range r.Flagged {
		flagged = append(flagged, one.ID)
	}
	t.line(0, regimesOf(r))
	if left := leftOut(r.Left); left != "" {
		t.row(2, 4, oneLine(left), cell{text: "left out"})
	}
	if len(flagged) > 0 {
		t.row(2, 4, oneLine(strings.Join(flagged, ", ")+": they apply or are likely, and assay does not assess them"), cell{text: "flagged"})
	}
	if r.Overdue {
		t.row(2, 4, oneLine(fmt.Sprintf("%s was to be reviewed by %s; look at the answers and run assay scope again", r.File, r.DueSince)), cell{text: "overdue", style: yellow})
	}
	for _, one := range m.Regimes {
		t.row(2, 4, oneLine(fmt.Sprintf("%s: %s, by what the estate is today (%s); %s does not have it as such, and nothing below is about it: run assay scope again", one.ID, one.Verdict, one.Because, r.File)),
			cell{text: "indicated", style: yellow})
	}
}

// regimesOf says which frameworks are reported on, and who says so.
func regimesOf(r *assess.RegimesInfo) string {
	var reported []string
	for _, one := range r.Reported {
		reported = append(reported, one.Frameworks...)
	}
	if len(reported) == 0 {
		reported = []string{"none"}
	}
	return oneLine(fmt.Sprintf("regimes from %s: %s (%s)", r.File, strings.Join(reported, ", "), r.Confirmed))
}

// leftOut lists regimes by their verdict, in the order of the first of each.
func leftOut(left []assess.RegimeInfo) string {
	var order []string
	by := map[string][]string{}
	for _, one := range left {
		if by[one.Verdict] == nil {
			order = append(order, one.Verdict)
		}
		by[one.Verdict] = append(by[one.Verdict], one.ID)
	}
	var said []string
	for _, verdict := range order {
		hint := ""
		if verdict == "undetermined" || verdict == assess.NotJudged {
			hint = "; assay scope says what would settle it"
		}
		said = append(said, strings.Join(by[verdict], ", ")+" ("+verdict+hint+")")
	}
	return strings.Join(said, "; ")
}
