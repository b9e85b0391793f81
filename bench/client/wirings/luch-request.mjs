// Interceptors as the documentation shows. It leaves the renewal to the app, so this is the flag and the queue that
// its users publish (juejin.cn/post/7146020250436239396), with a login in place of the refresh. `isFitted`: with what a
// backend needs that says it in the body.
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
  (response) => (isFitted && response.data?.code === 401 ? renew(response) : response.data),
  (response) => (response.statusCode === 401 ? renew(response) : Promise.reject(response)),
)

async function renew({ config }) {
  if (isRefreshing) {
    return new Promise((resolve) => {
      queue.push(() => resolve(http.request(config)))
    })
  }
  isRefreshing = true
  await login()
  for (const goOn of queue) goOn()
  queue = []
  isRefreshing = false
  return http.request(config)
}

export const request = (path) => http.get(path)
