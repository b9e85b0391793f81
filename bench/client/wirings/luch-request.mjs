// Interceptors as the documentation shows. It leaves the renewal to the app, so this is the flag and the queue that
// its users publish (juejin.cn/post/7146020250436239396), with a login in place of the refresh.
import Request from 'luch-request'

const http = new Request({ baseURL: 'https://api.example.com' })
let isRefreshing = false
let queue = []

async function login() {
  const { code } = await new Promise((success, fail) => {
    uni.login({ success, fail })
  })
  const { token } = await http.post('/login', { code })
  uni.setStorageSync('token', token)
}

http.interceptors.request.use((config) => {
  config.header = { ...config.header, Authorization: uni.getStorageSync('token') }
  return config
})

http.interceptors.response.use(
  (response) => response.data,
  async (response) => {
    if (response.statusCode !== 401) return Promise.reject(response)
    if (isRefreshing) {
      return new Promise((resolve) => {
        queue.push(() => resolve(http.request(response.config)))
      })
    }
    isRefreshing = true
    await login()
    for (const goOn of queue) goOn()
    queue = []
    isRefreshing = false
    return http.request(response.config)
  },
)

export const request = (path) => http.get(path)
