// The two interceptors of the repository's demon/interceptorDemo.html, the README's 在拦截器中执行异步任务 among them;
// where that asks for a token, this logs in.
import Fly from 'flyio/dist/npm/wx'

const fly = new Fly()
const loginFly = new Fly()
fly.config.baseURL = 'https://api.example.com'
loginFly.config.baseURL = 'https://api.example.com'
let token = ''

const login = () =>
  new Promise((success, fail) => {
    wx.login({ success, fail })
  })
    .then(({ code }) => loginFly.post('/login', { code }))
    .then(({ data }) => {
      token = data.token
    })

fly.interceptors.request.use((request) => {
  if (token) {
    request.headers.token = token
    return request
  }
  fly.lock()
  return login()
    .then(() => {
      request.headers.token = token
      return request
    })
    .finally(() => fly.unlock())
})

fly.interceptors.response.use(function (response) {
  if (!response.data.tokenExpired) return response.data
  this.lock()
  return login()
    .finally(() => this.unlock())
    .then(() => fly.request(response.request))
})

export const request = (path) => fly.get(path)
