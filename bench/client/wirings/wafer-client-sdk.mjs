// As the package's README shows under 请求: `setLoginUrl`, and `login: true` with each request.
import qcloud from 'wafer-client-sdk'

qcloud.setLoginUrl('https://api.example.com/login')

export const request = (path) =>
  new Promise((success, fail) => {
    qcloud.request({ login: true, url: `https://api.example.com${path}`, success, fail })
  }).then(({ data }) => data)

/** Its server knows nothing of it. */
export const logout = () => qcloud.clearSession()
