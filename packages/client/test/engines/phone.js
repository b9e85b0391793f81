// A phone, its `wx` in plain callbacks, and the backend it talks to, all of which the scenario can trouble.

function createPhone(backend) {
  var phone = {
    storage: {},
    isStorageFull: false,
    isOffline: false,
    interruptions: 0,
    doesLoginHang: false,
    logins: 0,
    requests: [],
    onShow: [],
  }

  function later(run) {
    setTimeout(run, 20)
  }

  phone.wx = {
    login: function (options) {
      phone.logins += 1
      if (phone.doesLoginHang) return
      later(function () {
        options.success({ code: backend.newCode(), errMsg: 'login:ok' })
      })
    },
    request: function (options) {
      phone.requests.push(options)
      var isAborted = false
      function answer() {
        if (isAborted) return
        if (phone.interruptions > 0) {
          phone.interruptions -= 1
          options.fail({ errno: 600003, errMsg: 'request:fail interrupted' })
        } else if (phone.isOffline) {
          options.fail({
            errno: 600001,
            errMsg: 'request:fail errcode:-106 cronet_error_code:-106',
          })
        } else {
          options.success(backend.answer(options))
        }
        if (options.complete) options.complete({ errMsg: 'request:ok' })
      }
      later(answer)
      return {
        abort: function () {
          if (isAborted) return
          isAborted = true
          options.fail({ errMsg: 'request:fail abort' })
        },
        onHeadersReceived: function () {},
        offHeadersReceived: function () {},
      }
    },
    getStorageSync: function (key) {
      return key in phone.storage ? phone.storage[key] : ''
    },
    setStorageSync: function (key, value) {
      if (phone.isStorageFull) throw new Error('setStorageSync:fail exceed storage max size 10Mb')
      phone.storage[key] = value
    },
    removeStorageSync: function (key) {
      delete phone.storage[key]
    },
    getAccountInfoSync: function () {
      return {
        miniProgram: { appId: 'wx0000000000000001', envVersion: 'release', version: '1.0.0' },
      }
    },
    getEnterOptionsSync: function () {
      return { scene: 1001, path: 'pages/index/index', query: {} }
    },
    onAppShow: function (listener) {
      phone.onShow.push(listener)
    },
    onAppHide: function () {},
    getRandomValues: function (options) {
      later(function () {
        var bytes = new Uint8Array(options.length)
        for (var i = 0; i < bytes.length; i++) bytes[i] = Math.floor(Math.random() * 256)
        options.success({ randomValues: bytes.buffer, errMsg: 'getRandomValues:ok' })
      })
    },
  }
  return phone
}

/** Sessions as the server keeps them: codes and refresh tokens work once, and a retry is known by its key. */
function createBackend() {
  var codes = 0
  var unusedCodes = {}
  var sessions = 0
  var refreshTokens = {}
  var accessTokens = {}
  var backend = { served: [] }

  function answered(statusCode, data, header) {
    return {
      statusCode: statusCode,
      header: Object.assign({ 'Content-Type': 'application/json' }, header),
      data: data,
      cookies: [],
      errMsg: 'request:ok',
    }
  }

  function refused(statusCode, error, header) {
    return answered(statusCode, { error: error, error_description: 'a refusal' }, header)
  }

  function tokens(session, generation) {
    var name = session + '-' + generation
    accessTokens['access-' + name] = true
    refreshTokens['refresh-' + name] = { session: session, generation: generation }
    return answered(200, {
      access_token: 'access-' + name,
      token_type: 'Bearer',
      expires_in: 900,
      refresh_token: 'refresh-' + name,
      refresh_expires_in: 2592000,
      user_id: 'user-1',
      data: { name: '张三' },
    })
  }

  var routes = {
    '/wx/login': function (body) {
      if (body.app_id !== 'wx0000000000000001') return refused(400, 'unknown_app')
      if (!unusedCodes[body.code]) return refused(400, 'invalid_code')
      delete unusedCodes[body.code]
      sessions += 1
      return tokens(sessions, 0)
    },
    '/wx/refresh': function (body) {
      var held = refreshTokens[body.refresh_token]
      if (!held) return refused(400, 'invalid_grant')
      delete refreshTokens[body.refresh_token]
      return tokens(held.session, held.generation + 1)
    },
    '/wx/phone': function () {
      return answered(200, { phone_number: '13800138000', country_code: '86' })
    },
    '/wx/logout': function (body) {
      delete refreshTokens[body.refresh_token]
      return answered(204, '')
    },
  }

  backend.newCode = function () {
    codes += 1
    unusedCodes['code-' + codes] = true
    return 'code-' + codes
  }
  backend.answer = function (request) {
    var path = request.url.replace('https://api.example.com', '')
    var header = {}
    Object.keys(request.header || {}).forEach(function (name) {
      header[name.toLowerCase()] = request.header[name]
    })
    backend.served.push(path)
    var isKeyed = /^[A-Za-z0-9_-]{22,64}$/.test(header['idempotency-key'])
    if (/login|refresh/.test(path) && !isKeyed) return refused(400, 'invalid_request')
    var isPublic = /login|refresh|logout/.test(path)
    if (!isPublic && !accessTokens[String(header.authorization).replace('Bearer ', '')]) {
      return refused(401, 'invalid_token', { 'WWW-Authenticate': 'Bearer error="invalid_token"' })
    }
    if (routes[path]) return routes[path](JSON.parse(JSON.stringify(request.data)))
    return answered(200, { path: path, orders: [1, 2, 3] })
  }
  backend.expireAccess = function () {
    accessTokens = {}
  }
  backend.forgetSessions = function () {
    accessTokens = {}
    refreshTokens = {}
  }
  /** How often a path was served. */
  backend.count = function (path) {
    return backend.served.filter(function (served) {
      return served === path
    }).length
  }
  return backend
}
