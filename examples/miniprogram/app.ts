import { client } from './client'

App({
  onLaunch(options) {
    // Logs in silently. Nothing has to wait for it: requests made meanwhile wait by themselves.
    client.launch(options)
  },
})
