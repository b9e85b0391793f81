// As the documentation shows: Token authentication interceptor, bound to the server's status; and Custom request
// adapter, for `wx.request`. `refreshToken` logs in. No cache, because every answer counts here. `isFitted`: with what a
// backend needs that says it in the body.
import { createAlova } from 'alova'
import { createServerTokenAuthentication } from 'alova/client'

const { onAuthRequired, onResponseRefreshToken } = createServerTokenAuthentication({
  refreshTokenOnSuccess: {
    isExpired: ({ statusCode, data }) => statusCode === 401 || (isFitted && data?.code === 401),
    handler: async () => {
      const { token } = await refreshToken()
      wx.setStorageSync('token', token)
    },
  },
  logout: () => wx.removeStorageSync('token'),
  assignToken: (method) => {
    method.config.headers.Authorization = wx.getStorageSync('token')
  },
})

const alova = createAlova({
  baseURL: 'https://api.example.com',
  cacheFor: null,
  requestAdapter({ url, data, type, headers }) {
    let task
    const answer = new Promise((success, fail) => {
      task = wx.request({ url, data, header: headers, method: type, success, fail })
    })
    return {
      response: () => answer,
      headers: () => answer.then(({ header }) => header),
      abort: () => task.abort(),
    }
  },
  beforeRequest: onAuthRequired(),
  responded: onResponseRefreshToken(({ statusCode, data }) => {
    if (statusCode >= 400) throw new Error(`HTTP ${statusCode}`)
    return data
  }),
})

async function refreshToken() {
  const { code } = await new Promise((success, fail) => {
    wx.login({ success, fail })
  })
  const login = alova.Post('/login', { code })
  login.meta = { authRole: 'refreshToken' }
  return login
}

export const request = (path) => alova.Get(path)

export function logout() {
  const method = alova.Post('/logout')
  method.meta = { authRole: 'logout' }
  return method.send()
}
