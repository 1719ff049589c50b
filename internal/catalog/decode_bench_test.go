package catalog_test

import (
	"testing"

	"assay/checks"
	"assay/internal/catalog"
)

// BenchmarkDecode is what every run begins with.
func BenchmarkDecode(b *testing.B) {
	b.SetBytes(int64(len(checks.Compiled)))
	for b.Loop() {
		if _, err := catalog.Decode(checks.Compiled); err != nil {
			b.Fatal(err)
		}
	}
}
