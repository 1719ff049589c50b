package iam

// truth is Kleene's third-valued truth. Its order is that of certainty that
// something holds, so that and is the least and or the greatest.
type truth uint8

const (
	no truth = iota
	maybe
	yes
)

func truthOf(b bool) truth {
	if b {
		return yes
	}
	return no
}

func (t truth) not() truth { return yes - t }
