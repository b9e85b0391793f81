// One SDK against the emulated WeChat, in a process of its own: `node run.cjs <name>`. What each call gave goes to the
// parent, which knows what is right.
const { createRequire } = require('node:module')
const { tmpdir } = require('node:os')
const { join } = require('node:path')
const { mkdtempSync, rmSync, writeFileSync } = require('node:fs')

const need = createRequire(join(process.env.SDKS, 'index.js'))

const sdks = {
  'node-easywechat': () => easyWeChat(need('node-easywechat')),
  'co-wechat-api': () => coWeChat(need('co-wechat-api')),
  'nest-wechat': () => nestWeChat(need('nest-wechat')),
  tnwx: () => tnwx(need('tnwx')),
  'wafer-node-session': () => wafer(need('wafer-node-session')),
  'passport-weapp': () => passportWeapp(need('passport'), need('passport-weapp')),
}

process.once('message', async (given) => {
  const calls = sdks[process.argv[2]]()(given)
  for (const [name, call] of Object.entries(calls)) {
    try {
      const value = await call()
      process.send({ name, value: Buffer.isBuffer(value) ? value.toString('base64') : value })
    } catch (error) {
      process.send({ name, error: String(error?.stack ?? error) })
    }
  }
  process.disconnect()
})

function easyWeChat({ MiniApp, FormData }) {
  return ({ url, app, code, phoneCode, openid, text, risky, upload, message, scene, page }) => {
    const cached = new Map()
    const cache = {
      fetch: async (key, _seconds, make) => cached.get(key) ?? make(),
      get: async (key) => cached.get(key),
      set: async (key, value) => Boolean(cached.set(key, value)),
      has: async (key) => cached.has(key),
      delete: async (key) => cached.delete(key),
    }
    const appWith = (options) => {
      const made = new MiniApp({
        app_id: app.appId,
        secret: app.appSecret,
        http: { baseURL: `${url}/` },
        ...options,
      })
      made.setCache(cache)
      return made
    }
    const classic = appWith({})
    const stable = appWith({ use_stable_access_token: true })
    const post = async (path, json) =>
      (await stable.getClient().request('POST', path, { json })).toObject()
    const check = (content) => post('/wxa/msg_sec_check', { content, version: 2, scene: 1, openid })
    return {
      code2Session: async () => (await classic.getUtils().codeToSession(code)).openid,
      token: () => classic.getAccessToken().getToken(),
      stableToken: () => stable.getAccessToken().getToken(),
      phone: async () =>
        (await post('/wxa/business/getuserphonenumber', { code: phoneCode })).phone_info
          .phoneNumber,
      textCheck: async () => (await check(text)).errcode,
      refusedText: async () => errcodeIn(await refusalOf(() => check(risky))),
      pictureCheck: async () => {
        const media = {
          value: Buffer.from(upload, 'base64'),
          options: { filename: 'a.png', contentType: 'image/png' },
        }
        const form = new FormData()
        form.append('media', media.value, media.options)
        const answer = await stable
          .getClient()
          .request('POST', '/wxa/img_sec_check', { formData: form })
        return answer.toObject().errcode
      },
      message: async () => (await post('/cgi-bin/message/subscribe/send', message)).errcode,
      picture: async () => {
        const answer = await stable.getClient().request('POST', '/wxa/getwxacodeunlimit', {
          json: { scene, page },
          responseType: 'arraybuffer',
        })
        return Buffer.from(answer.getContent())
      },
    }
  }
}

function coWeChat(Api) {
  return ({ url, app, code, message, scene, page }) => {
    const api = new Api(app.appId, app.appSecret)
    // As from a base URL that ends in a slash.
    api.prefix = `${url}//cgi-bin/`
    api.snsPrefix = `${url}//sns/`
    api.wxaPrefix = `${url}//wxa/`
    const { touser, template_id, data } = message
    return {
      code2Session: async () => (await api.code2Session(code)).openid,
      token: async () => (await api.getAccessToken()).accessToken,
      message: async () =>
        (await api.sendSubscribeMessage(touser, template_id, message.page, data)).errcode,
      picture: () => api.getWXACodeUnlimit(scene, page),
    }
  }
}

function nestWeChat({ MiniProgramService }) {
  return ({ app, code, phoneCode, message, scene, page }) => {
    const service = new MiniProgramService({ appId: app.appId, secret: app.appSecret })
    let token
    return {
      code2Session: async () => (await service.code2Session(code)).openid,
      token: async () => {
        token = (await service.getAccessToken()).data.access_token
        return token
      },
      phone: async () =>
        (await service.getPhoneNumber(phoneCode, token)).data.phone_info.phoneNumber,
      message: async () => (await service.sendMessage(message, token)).data.errcode,
      picture: async () =>
        (await service.getUnlimitedQRCode({ scene, page }, token, { responseType: 'arraybuffer' }))
          .data,
    }
  }
}

function tnwx({ AccessTokenApi, ApiConfig, ApiConfigKit, AxiosHttpKit, HttpKit, MiniProgramApi }) {
  return ({ url, app, code, text, risky, upload, message, scene, page }) => {
    const moved = (address) => address.replace('https://api.weixin.qq.com', url)
    const kit = new AxiosHttpKit()
    HttpKit.setHttpDelegate = {
      httpGet: (address, options) => kit.httpGet(moved(address), options),
      httpPost: (address, data, options) => kit.httpPost(moved(address), data, options),
      upload: (address, file, parameters) => kit.upload(moved(address), file, parameters),
    }
    ApiConfigKit.putApiConfig(new ApiConfig(app.appId, app.appSecret))
    const { touser, template_id, data } = message
    return {
      code2Session: async () =>
        (await MiniProgramApi.code2Session(app.appId, app.appSecret, code)).openid,
      token: async () => (await AccessTokenApi.getAccessToken()).getAccessToken,
      textCheck: async () => (await MiniProgramApi.msgSecCheck(text)).errcode,
      refusedText: async () => (await MiniProgramApi.msgSecCheck(risky)).errcode,
      pictureCheck: async () => {
        const folder = mkdtempSync(join(tmpdir(), 'wxlogin-sdks-'))
        try {
          writeFileSync(join(folder, 'a.png'), Buffer.from(upload, 'base64'))
          return (await MiniProgramApi.imgSecCheck(join(folder, 'a.png'))).errcode
        } finally {
          rmSync(folder, { recursive: true })
        }
      },
      message: async () =>
        (await MiniProgramApi.sendSubscribeMsg(touser, template_id, data, message.page)).errcode,
      picture: () => MiniProgramApi.getUnlimited(scene, page),
    }
  }
}

function wafer(session) {
  return ({ app, code, openData }) => {
    const store = new session.MemoryStore()
    const handle = session({ appId: app.appId, appSecret: app.appSecret, loginPath: '/in', store })
    const visit = (url, headers) =>
      new Promise((resolve, reject) => {
        const request = { url, headers }
        const response = { json: (answer) => resolve({ answer }), end: () => undefined }
        handle(request, response, () => resolve({ session: request.session })).catch(reject)
      })
    return {
      async code2Session() {
        const { answer } = await visit('/in', {
          'x-wx-code': code,
          'x-wx-encrypted-data': openData.encryptedData,
          'x-wx-iv': openData.iv,
        })
        if (!answer.session) throw new Error(JSON.stringify(answer))
        const { id, skey } = answer.session
        const next = await visit('/orders', { 'x-wx-id': id, 'x-wx-skey': skey })
        return next.session.userInfo.openId
      },
    }
  }
}

function passportWeapp(passport, Strategy) {
  return ({ app, code }) => ({
    code2Session: () =>
      new Promise((resolve, reject) => {
        const options = { appID: app.appId, appSecret: app.appSecret }
        const verify = (_access, _refresh, profile, _seconds, done) => done(null, profile)
        passport.use(new Strategy(options, verify))
        const request = { query: { code }, headers: {} }
        passport.initialize()(request, {}, () =>
          passport.authenticate('weapp', (error, user) =>
            user ? resolve(user.openid) : reject(error),
          )(request, {}, reject),
        )
      }),
  })
}

/** Some SDKs throw what WeChat refuses, with the answer in the text. */
async function refusalOf(call) {
  try {
    return await call()
  } catch (error) {
    return error
  }
}

function errcodeIn(refusal) {
  return refusal.errcode ?? Number(/"errcode":\s*(\d+)/.exec(refusal.message)?.[1])
}
