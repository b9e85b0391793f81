// What the entry that carries everything promises beyond `scenario.js`.

function setUpFull(options) {
  var backend = createBackend()
  var phone = createPhone(backend)
  var wx = equip(phone, backend)
  var client = library.createClient(
    Object.assign({ wx: wx }, options || { baseUrl: 'https://api.example.com' })
  )
  return { backend: backend, phone: phone, client: client }
}

function transfers() {
  var it = setUpFull()
  return it.client
    .ready()
    .then(function () {
      it.backend.expireAccess()
      pass(60000)
      return Promise.all([
        it.client.uploadFile({ url: '/photos', filePath: 'wxfile://photo', name: 'photo' }),
        it.client.downloadFile({ url: '/invoice' }),
        it.client.request({ url: '/orders' }),
      ])
    })
    .then(function (answers) {
      check('a refused upload is sent again', answers[0].data.path === '/photos', answers[0])
      check('so is a download', answers[1].tempFilePath === 'wxfile://tmp_1', answers[1])
      check('and a request', answers[2].data.path === '/orders', answers[2])
      check('after one refresh for all', it.backend.count('/wx/refresh') === 1, it.backend.served)
    })
}

function socket() {
  var it = setUpFull()
  var reasons = []
  return it.client
    .ready()
    .then(function () {
      return it.client.connectSocket({
        url: 'wss://api.example.com/live',
        onReopen: function (reason) {
          reasons.push(reason)
        },
      })
    })
    .then(function () {
      var native = it.phone.opened[0]
      check('a socket opens', it.phone.opened.length === 1, it.phone.opened.length)
      check('with the token', native.options.header.Authorization === 'Bearer access-1-0')
      return it.client.logout()
    })
    .then(function () {
      return new Promise(function (resolve) {
        setTimeout(resolve, 100)
      })
    })
    .then(function () {
      check('a sign-out closes it', it.phone.opened[0].isClosed, reasons)
      check('and says so', reasons.join() === 'signed_out', reasons)
    })
}

function container() {
  var it = setUpFull({ container: { env: 'prod-1', service: 'shop' } })
  return it.client.request({ url: '/orders' }).then(function (answer) {
    check('in a container everything goes by callContainer', answer.data.path === '/orders', answer)
    check('the login too', it.phone.requests.length === 0, it.backend.served)
    return it.client.callContainer({ path: '/stock' }).then(function (second) {
      check('as does a call of its own', second.data.path === '/stock', second)
    })
  })
}

function phoneNumber() {
  var it = setUpFull()
  return outcomeOf(it.client.bindPhone({ detail: { errMsg: 'getPhoneNumber:fail user deny' } }))
    .then(function (outcome) {
      check('a number that is not given is phone_denied', outcome.code === 'phone_denied', outcome)
      return it.client.bindPhone({ detail: { code: 'phone-code', errMsg: 'getPhoneNumber:ok' } })
    })
    .then(function (bound) {
      check('a number is bound', bound.phoneNumber === '13800138000', bound)
      check('for the user', bound.session.userId === 'user-1', bound)
    })
}

function background() {
  var it = setUpFull()
  return it.client
    .ready()
    .then(function () {
      it.phone.interruptions = 1
      return it.client.request({ url: '/orders' })
    })
    .then(function (answer) {
      check('a GET cut off in the background is sent again', answer.statusCode === 200, answer)
    })
}

steps.push(transfers, socket, container, phoneNumber, background)
