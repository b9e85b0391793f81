import Taro from '@tarojs/taro'
import { type ClientOptions, createClient } from '@wxlogin/client'
import { createTranslator } from '@wxlogin/client/backend'
import { isUnauthorized, passwordLogin, unwrap } from './password-login'
import { webWx } from './web-wx'

/** What the backend's `onLogin` returns as `data`. */
export interface Profile {
  readonly name: string
}

const baseUrl = 'http://127.0.0.1:3000'

// The condition is known when it is built: neither build has what belongs to the other.
const options: ClientOptions =
  process.env.TARO_ENV === 'h5'
    ? {
        baseUrl,
        // A browser has neither `wx.login` nor an AppID: a password logs in, and this name is yours to choose.
        appId: 'web',
        wx: createTranslator({ wx: webWx, baseUrl, backend: passwordLogin }),
        isUnauthorized,
        unwrap,
      }
    : {
        baseUrl,
        authPath: '/wx',
        wx: Taro,
        // The name in the user's list of devices.
        device: Taro.getDeviceInfo().model,
      }

/** The one client of this app; every page imports it. */
export const client = createClient<Profile>(options)
