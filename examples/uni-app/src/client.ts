import { type ClientOptions, createClient } from '@wxlogin/client'
// #ifdef H5
import { createTranslator } from '@wxlogin/client/backend'
import { isUnauthorized, passwordLogin, unwrap } from './password-login'
import { webWx } from './web-wx'
// #endif

/** What the backend's `onLogin` returns as `data`. */
export interface Profile {
  readonly name: string
}

const baseUrl = 'http://127.0.0.1:3000'

let options: ClientOptions = {
  baseUrl,
  authPath: '/wx',
  wx: uni,
  // The name in the user's list of devices.
  device: uni.getDeviceInfo().deviceModel,
}

// #ifdef H5
// A browser has neither `wx.login` nor an AppID: a password logs in, and the name in `appId` is yours to choose.
options = {
  baseUrl,
  appId: 'web',
  wx: createTranslator({ wx: webWx, baseUrl, backend: passwordLogin }),
  isUnauthorized,
  unwrap,
}
// #endif

/** The one client of this app; every page imports it. */
export const client = createClient<Profile>(options)
