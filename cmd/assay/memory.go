package main

import (
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// How far the heap may grow beyond what is live before it is collected. A run
// over a few files is short and holds little: it may grow by four times that. A
// large estate is held as a whole while it is judged, and its garbage must not
// come to a multiple of it: from some hundred megabytes on the heap may grow by
// slack, or double, whichever is more.
const (
	mostPercent  = 400
	leastPercent = 100
	slack        = 512 << 20 // bytes
)

// limits bound all that the program holds, for as long as what is live leaves
// room: reading an account of 10,000 functions fits in the first, judging as many
// in the second.
var limits = []struct{ all, live uint64 }{ // bytes
	{380 << 20, 250 << 20},
	{900 << 20, 600 << 20},
	{math.MaxInt64, math.MaxInt64},
}

// pace sets how far the heap may grow, again after every collection, unless the
// environment says how far.
func pace() {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	debug.SetGCPercent(mostPercent)
	debug.SetMemoryLimit(int64(limits[0].all))
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	var watch func()
	watch = func() {
		// Nothing refers to this, so that the next collection finds it.
		runtime.AddCleanup(&struct{ _ *int }{}, func(struct{}) {
			metrics.Read(live)
			n := max(live[0].Value.Uint64(), 1)
			debug.SetGCPercent(min(max(int(slack*100/n), leastPercent), mostPercent))
			for _, l := range limits {
				if n <= l.live {
					debug.SetMemoryLimit(int64(l.all))
					break
				}
			}
			watch()
		}, struct{}{})
	}
	watch()
}
