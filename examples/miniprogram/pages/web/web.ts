import { client } from '../../client'
import { textOf } from '../../texts'

Page({
  data: { url: '', message: '' },

  // Once, for a ticket works once: the page keeps its user by a cookie of its own.
  async onLoad() {
    try {
      this.setData({ url: await client.webViewUrl('http://127.0.0.1:3000/h5/') })
    } catch (error) {
      this.setData({ message: textOf(error) })
    }
  },
})
