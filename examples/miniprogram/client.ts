// The entry with everything. An app that only logs in and sends requests takes '@wxlogin/client', which is smaller.
import { createClient } from '@wxlogin/client/full'

/** What the backend's `onLogin` returns as `data`. */
interface Profile {
  readonly name: string
}

/** The one client of this mini program; every page imports it. */
export const client = createClient<Profile>({
  baseUrl: 'http://127.0.0.1:3000',
  authPath: '/wx',
  // The page of the web-view, and the route that gives it a ticket.
  webView: { ticketUrl: '/tickets', origins: ['http://127.0.0.1:3000'] },
  // The name in the user's list of devices. Base libraries before 2.20.1 cannot tell.
  device: wx.getDeviceInfo?.().model,
})
