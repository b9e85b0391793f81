// The rest of `wx`, for the entry that carries everything. Transfers answer as the platform's do: an upload with a text,
// a download with a file, both without the header, which only the task hears of.

function equip(phone, backend) {
  phone.opened = []
  phone.onHide = []

  function transfer(options, resultOf) {
    var listeners = []
    var isAborted = false
    setTimeout(function () {
      if (isAborted) return
      var answer = backend.answer(options)
      listeners.forEach(function (listener) {
        listener({ header: answer.header })
      })
      options.success(resultOf(answer))
    }, 20)
    return {
      abort: function () {
        isAborted = true
        options.fail({ errMsg: 'transfer:fail abort' })
      },
      onHeadersReceived: function (listener) {
        listeners.push(listener)
      },
      offHeadersReceived: function () {},
      onProgressUpdate: function () {},
      offProgressUpdate: function () {},
    }
  }

  return Object.assign(phone.wx, {
    onAppHide: function (listener) {
      phone.onHide.push(listener)
    },
    uploadFile: function (options) {
      return transfer(options, function (answer) {
        return { statusCode: answer.statusCode, data: JSON.stringify(answer.data) }
      })
    },
    downloadFile: function (options) {
      return transfer(options, function (answer) {
        return { statusCode: answer.statusCode, tempFilePath: 'wxfile://tmp_1' }
      })
    },
    connectSocket: function (options) {
      var socket = { options: options, isClosed: false, listeners: {} }
      ;['Open', 'Message', 'Error', 'Close'].forEach(function (name) {
        socket.listeners[name] = []
        socket['on' + name] = function (listener) {
          socket.listeners[name].push(listener)
        }
      })
      socket.send = function () {}
      socket.close = function () {
        socket.isClosed = true
      }
      socket.tell = function (name, result) {
        socket.listeners[name].forEach(function (listener) {
          listener(result)
        })
      }
      phone.opened.push(socket)
      setTimeout(function () {
        var handshake = { url: options.url.replace(/^ws/, 'http'), header: options.header }
        var isRefused = backend.answer(handshake).statusCode === 401
        if (isRefused) socket.tell('Error', { errMsg: 'connectSocket:fail' })
        else socket.tell('Open', { header: {} })
      }, 20)
      return socket
    },
    cloud: {
      init: function () {
        phone.isCloudReady = true
      },
      callContainer: function (options) {
        setTimeout(function () {
          var url = 'https://api.example.com' + options.path
          options.success(backend.answer(Object.assign({}, options, { url: url })))
        }, 20)
      },
    },
  })
}
