// What the client promises, step by step, each on a phone of its own. One line a check.
var checks = 0
var failures = 0

function check(sentence, holds, seen) {
  checks += 1
  if (!holds) failures += 1
  print((holds ? 'ok ' : 'FAILED ') + sentence + (holds ? '' : ': ' + JSON.stringify(seen)))
}

function setUp(options) {
  var backend = createBackend()
  var phone = createPhone(backend)
  function start() {
    return library.createClient(
      Object.assign({ baseUrl: 'https://api.example.com', wx: phone.wx }, options)
    )
  }
  return { backend: backend, phone: phone, start: start, client: start() }
}

function pass(ms) {
  clock.now += ms
}

/** What a promise came to: its value, or the code of the ClientError. */
function outcomeOf(promise) {
  return promise.then(
    function (value) {
      return { value: value }
    },
    function (error) {
      return {
        code: error.code,
        reason: error.reason,
        isClientError: error instanceof library.ClientError && error instanceof Error,
        error: error,
      }
    }
  )
}

function launchAndRequest() {
  var it = setUp()
  return it.client
    .launch({ scene: 1001, query: {} })
    .then(function (session) {
      check('launch logs in', session && session.userId === 'user-1', session)
      check('with what the backend gave', session.data.name === '张三', session)
      check('wx.login is called once', it.phone.logins === 1, it.phone.logins)
      check('one record is stored', Object.keys(it.phone.storage).length === 1, it.phone.storage)
      return it.client.request({ url: '/orders' })
    })
    .then(function (answer) {
      check('the first request has its data', answer.data.orders.length === 3, answer)
      var sent = it.phone.requests[1].header
      check('and its token', sent.Authorization === 'Bearer access-1-0', sent)
      return it.start().request({ url: '/orders' })
    })
    .then(function (answer) {
      check('a cold start needs no login', answer.statusCode === 200 && it.phone.logins === 1)
    })
}

function requestBeforeLaunch() {
  var it = setUp()
  var requests = [1, 2, 3].map(function (n) {
    return it.client.request({ url: '/orders/' + n })
  })
  it.client.launch()
  return Promise.all(requests).then(function (answers) {
    check(
      'requests that come before the login wait for it',
      answers[2].data.path === '/orders/3' && it.phone.logins === 1,
      it.backend.served
    )
  })
}

function expiredToken() {
  var it = setUp()
  return it.client
    .ready()
    .then(function () {
      it.backend.expireAccess()
      pass(60000)
      return Promise.all(
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map(function (n) {
          return it.client.request({ url: '/orders/' + n })
        })
      )
    })
    .then(function (answers) {
      check('ten refused requests all get their data', answers.length === 10, answers)
      check('after one refresh', it.backend.count('/wx/refresh') === 1, it.backend.served)
      var sent = it.backend.served.filter(function (path) {
        return /^\/orders/.test(path)
      })
      check('each is replayed once', sent.length === 20, it.backend.served)
      check('nobody logs in', it.phone.logins === 1, it.phone.logins)
      pass(16 * 60000)
      return it.client.request({ url: '/later' })
    })
    .then(function () {
      check('a token known to be over is renewed first', it.backend.count('/later') === 1)
      check('by one more refresh', it.backend.count('/wx/refresh') === 2, it.backend.served)
    })
}

function lostSession() {
  var it = setUp()
  var reasons = []
  it.client.onChange(function (change) {
    reasons.push(change.reason)
  })
  return it.client
    .ready()
    .then(function () {
      it.backend.forgetSessions()
      pass(60000)
      return it.client.request({ url: '/orders' })
    })
    .then(function (answer) {
      check('a dead session costs one silent login', it.phone.logins === 2, it.phone.logins)
      check('and the request succeeds', answer.statusCode === 200, answer)
      check('listeners hear of it', reasons.join() === 'login,ended,login', reasons)
    })
}

function loginThatHangs() {
  var it = setUp()
  it.phone.doesLoginHang = true
  var startedAt = Date.now()
  return outcomeOf(it.client.request({ url: '/orders' }))
    .then(function (outcome) {
      var seconds = (Date.now() - startedAt) / 1000
      check('a wx.login that never answers is a timeout', outcome.code === 'timeout', outcome)
      check('within its ten seconds', seconds >= 9 && seconds <= 11, seconds)
      check('told by a ClientError', outcome.isClientError, outcome)
      it.phone.doesLoginHang = false
      return it.client.login()
    })
    .then(function (session) {
      check('the next login works', session.userId === 'user-1', session)
    })
}

function offline() {
  var it = setUp()
  return it.client
    .ready()
    .then(function () {
      it.phone.isOffline = true
      return outcomeOf(it.client.request({ url: '/orders' }))
    })
    .then(function (outcome) {
      check('without a network a request says so', outcome.code === 'network', outcome)
      check('with what wx said', outcome.error.cause.errno === 600001, outcome.error)
      check('and the session stays', it.client.session().userId === 'user-1')
    })
}

function storageFull() {
  var it = setUp()
  it.phone.isStorageFull = true
  return it.client
    .request({ url: '/orders' })
    .then(function (answer) {
      check('with full storage a login lives in memory', answer.statusCode === 200, answer)
      check('nothing half-written is left', Object.keys(it.phone.storage).length === 0)
      return it.client.request({ url: '/orders' })
    })
    .then(function () {
      check('and is used again', it.phone.logins === 1, it.phone.logins)
    })
}

function brokenStorage() {
  var it = setUp()
  it.phone.storage.wxlogin = '{"v":"1 wx'
  return it
    .start()
    .request({ url: '/orders' })
    .then(function (answer) {
      check('a broken record means a silent login', answer.statusCode === 200, answer)
    })
}

function logout() {
  var it = setUp()
  return it.client
    .ready()
    .then(function () {
      return it.client.logout()
    })
    .then(function () {
      check('logout ends the session', it.client.session() === undefined, it.client.session())
      check('the server is told', it.backend.count('/wx/logout') === 1, it.backend.served)
      return outcomeOf(it.client.request({ url: '/orders' }))
    })
    .then(function (outcome) {
      check('requests are signed_out', outcome.code === 'signed_out', outcome)
      check('with the reason', outcome.reason === 'logout', outcome)
      check('nothing is sent', it.backend.count('/orders') === 0, it.backend.served)
      return outcomeOf(it.start().request({ url: '/orders' }))
    })
    .then(function (outcome) {
      check('after a restart too', outcome.code === 'signed_out', outcome)
      check('and nothing logs in', it.phone.logins === 1, it.phone.logins)
      return it.client.login()
    })
    .then(function (session) {
      check('until the app asks for it', session.userId === 'user-1', session)
    })
}

function abort() {
  var it = setUp()
  var task = it.client.request({ url: '/orders' })
  task.abort()
  return outcomeOf(task).then(function (outcome) {
    check('abort works at once', outcome.code === 'aborted', outcome)
  })
}

var steps = [
  launchAndRequest,
  requestBeforeLaunch,
  expiredToken,
  lostSession,
  loginThatHangs,
  offline,
  storageFull,
  brokenStorage,
  logout,
  abort,
]
