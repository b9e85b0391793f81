// Plays the steps, and ends with a line that tells whether all checks held.
steps
  .reduce(function (before, step) {
    return before.then(step)
  }, Promise.resolve())
  .then(
    function () {
      // Long enough for what nobody waits for.
      setTimeout(function () {
        if (typeof unhandled !== 'undefined') {
          check('no rejection was left alone', unhandled.length === 0, unhandled.map(String))
        }
        print(failures === 0 ? 'all ' + checks + ' checks hold' : failures + ' checks failed')
      }, 120000)
    },
    function (error) {
      print('FAILED ' + (error && error.stack ? error + ' ' + error.stack : error))
    }
  )
