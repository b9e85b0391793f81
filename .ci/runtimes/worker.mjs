// A backend on Cloudflare Workers, as its user writes it.
import { createAuth } from '@wxlogin/server'
import { authRoutes, requireAuth, sessionOf } from '@wxlogin/server/fetch'

let backend

const worker = {
  fetch(request, env) {
    backend ??= createBackend(env)
    return backend(request)
  },
}

// workerd asks for this name.
export { worker as default }

function createBackend({ WX_APP_ID, WX_APP_SECRET, WXLOGIN_SECRET, WECHAT_URL }) {
  const auth = createAuth({
    apps: [{ appId: WX_APP_ID, appSecret: WX_APP_SECRET }],
    secret: WXLOGIN_SECRET,
    wechatHosts: [WECHAT_URL],
  })
  const wx = authRoutes(auth, { basePath: '/wx' })
  const me = requireAuth(auth, { fresh: true })((request) => {
    const { userId } = sessionOf(request, auth)
    return Response.json({ userId })
  })
  return (request) => (new URL(request.url).pathname.startsWith('/wx/') ? wx(request) : me(request))
}
