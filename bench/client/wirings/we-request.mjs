// As the README's 示例代码 shows, with `catchError` so that a promise rejects.
import weRequest from 'we-request'

weRequest.init({
  sessionName: 'session',
  urlPerfix: 'https://api.example.com',
  loginTrigger: (res) => res.errcode === -1,
  codeToSession: {
    url: '/login',
    method: 'GET',
    codeName: 'code',
    success: (data) => data.session,
  },
  successTrigger: (res) => res.errcode === 0,
  successData: (res) => res.data,
  doNotCheckSession: true,
})

export const request = (url) => weRequest.request({ url, catchError: true })
