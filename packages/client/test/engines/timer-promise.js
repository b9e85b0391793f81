// The Promise of mini programs on iOS 15 and older: reactions are timers, so every callback of `wx` may come between.
// Unlike the platform's it remembers rejections that nobody handled, and the scenario looks at them at its end.
var unhandled = []

var Promise = (function () {
  function TimerPromise(executor) {
    this.state = 'pending'
    this.reactions = []
    follow(this, executor)
  }

  function follow(promise, executor) {
    var isDecided = false
    function once(decide) {
      return function (value) {
        if (isDecided) return
        isDecided = true
        decide(promise, value)
      }
    }
    var reject = once(function (_, reason) {
      settle(promise, 'rejected', reason)
    })
    try {
      executor(once(resolve), reject)
    } catch (error) {
      reject(error)
    }
  }

  function resolve(promise, value) {
    try {
      if (value === promise) throw new TypeError('a promise cannot resolve itself')
      var then = value && (typeof value === 'object' || typeof value === 'function') && value.then
      if (typeof then !== 'function') return settle(promise, 'fulfilled', value)
      setTimeout(function () {
        follow(promise, then.bind(value))
      }, 0)
    } catch (error) {
      settle(promise, 'rejected', error)
    }
  }

  function settle(promise, state, value) {
    promise.state = state
    promise.value = value
    if (state === 'rejected' && promise.reactions.length === 0) unhandled.push(promise)
    promise.reactions.forEach(function (react) {
      setTimeout(react, 0)
    })
    promise.reactions = []
  }

  TimerPromise.prototype.then = function (onFulfilled, onRejected) {
    var promise = this
    unhandled = unhandled.filter(function (other) {
      return other !== promise
    })
    return new TimerPromise(function (fulfil, reject) {
      function react() {
        var isFulfilled = promise.state === 'fulfilled'
        var handler = isFulfilled ? onFulfilled : onRejected
        if (typeof handler !== 'function') return (isFulfilled ? fulfil : reject)(promise.value)
        try {
          fulfil(handler(promise.value))
        } catch (error) {
          reject(error)
        }
      }
      if (promise.state === 'pending') promise.reactions.push(react)
      else setTimeout(react, 0)
    })
  }
  TimerPromise.prototype['catch'] = function (onRejected) {
    return this.then(undefined, onRejected)
  }
  TimerPromise.resolve = function (value) {
    if (value instanceof TimerPromise) return value
    return new TimerPromise(function (fulfil) {
      fulfil(value)
    })
  }
  TimerPromise.reject = function (reason) {
    return new TimerPromise(function (_, reject) {
      reject(reason)
    })
  }
  TimerPromise.all = function (values) {
    return new TimerPromise(function (fulfil, reject) {
      var results = []
      var missing = values.length
      if (missing === 0) fulfil(results)
      values.forEach(function (value, index) {
        TimerPromise.resolve(value).then(function (result) {
          results[index] = result
          missing -= 1
          if (missing === 0) fulfil(results)
        }, reject)
      })
    })
  }
  TimerPromise.race = function (values) {
    return new TimerPromise(function (fulfil, reject) {
      values.forEach(function (value) {
        TimerPromise.resolve(value).then(fulfil, reject)
      })
    })
  }
  return TimerPromise
})()
