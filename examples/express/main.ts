import { createBackend } from './app.ts'

const {
  WX_APP_ID,
  WX_APP_SECRET,
  WXLOGIN_SECRET,
  WX_PREFETCH_PATH,
  PORT = '3000',
  WEB_ORIGIN = `http://127.0.0.1:${PORT}`,
} = process.env
const { WX_OFFER_ID, WX_APP_KEY, WX_PAY_ENV, WX_PUSH_TOKEN, WX_PUSH_AES_KEY } = process.env

if (!WX_APP_ID || !WX_APP_SECRET || !WXLOGIN_SECRET) {
  console.error(`Set these environment variables and start again:
  WX_APP_ID       the AppID of your mini program
  WX_APP_SECRET   its AppSecret (mp.weixin.qq.com, 开发管理)
  WXLOGIN_SECRET  made once with: npx wxlogin keygen
No AppID yet? "npm run demo" in the root of the repository plays everything against an emulated WeChat.`)
  process.exit(1)
}

const { app } = createBackend(
  {
    apps: [{ appId: WX_APP_ID, appSecret: WX_APP_SECRET }],
    secret: WXLOGIN_SECRET,
    // Where WeChat fetches data ahead, if it does: `openssl rand -hex 16`.
    ...(WX_PREFETCH_PATH && { prefetchPath: WX_PREFETCH_PATH }),
    // Without secrets and openids, so it can go to any log; a failure with its cause.
    onEvent: (event) =>
      event.type === 'failure' ? console.error(event.error) : console.log(JSON.stringify(event)),
  },
  {
    webOrigin: WEB_ORIGIN,
    // Where memberships are sold, all of them; WX_PAY_ENV=1 is the sandbox.
    ...(WX_OFFER_ID &&
      WX_APP_KEY &&
      WX_PUSH_TOKEN &&
      WX_PUSH_AES_KEY && {
        payment: {
          offerId: WX_OFFER_ID,
          appKey: WX_APP_KEY,
          env: WX_PAY_ENV === '1' ? 1 : 0,
          token: WX_PUSH_TOKEN,
          encodingAesKey: WX_PUSH_AES_KEY,
        },
      }),
  },
)

app.listen(Number(PORT), '127.0.0.1', (error) => {
  if (error) throw error
  console.log(`Listening on http://127.0.0.1:${PORT}`)
})
