package main

import (
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
	slack        = 256 << 20 // bytes
)

// pace sets how far the heap may grow, again after every collection, unless the
// environment says how far.
func pace() {
	if os.Getenv("GOGC") != "" {
		return
	}
	debug.SetGCPercent(mostPercent)
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	current := mostPercent
	var watch func()
	watch = func() {
		// What nothing refers to is found by the next collection.
		runtime.AddCleanup(&struct{ _ *int }{}, func(struct{}) {
			metrics.Read(live)
			percent := min(max(slack*100/int(max(live[0].Value.Uint64(), 1)), leastPercent), mostPercent)
			if percent != current {
				current = percent
				debug.SetGCPercent(percent)
			}
			watch()
		}, struct{}{})
	}
	watch()
}
