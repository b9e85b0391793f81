import Taro from '@tarojs/taro'
import { createClient } from '@wxlogin/client'

/** What the backend's `onLogin` returns as `data`. */
export interface Profile {
  readonly name: string
}

/** The one client of this mini program; every page imports it. */
export const client = createClient<Profile>({
  baseUrl: 'http://127.0.0.1:3000',
  authPath: '/wx',
  wx: Taro,
  // The name in the user's list of devices.
  device: Taro.getDeviceInfo().model,
})
