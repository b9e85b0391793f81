// A clock that the scenario sets, so that fifteen minutes take no time, and the timers that go by it.
// The host calls `runNextTimer` until it answers false, and between two calls runs the promises' reactions.
var clock = { now: 1700000000000, timers: [], lastId: 0 }

Date.now = function () {
  return clock.now
}

function setTimeout(run, ms) {
  clock.lastId += 1
  clock.timers.push({ id: clock.lastId, run: run, at: clock.now + (ms || 0) })
  return clock.lastId
}

function clearTimeout(id) {
  clock.timers = clock.timers.filter(function (timer) {
    return timer.id !== id
  })
}

function runNextTimer() {
  if (clock.timers.length === 0) return false
  var next = clock.timers.reduce(function (first, timer) {
    return timer.at < first.at ? timer : first
  })
  clearTimeout(next.id)
  clock.now = Math.max(clock.now, next.at)
  next.run()
  return true
}
