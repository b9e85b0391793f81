import { ClientError } from '@wxlogin/client/full'
import { client } from '../../client'
import { textOf } from '../../texts'

Page({
  data: {
    years: 0,
    message: '',
  },

  onShow() {
    this.query().catch((error) => this.setData({ message: textOf(error) }))
  },

  /** What the server says counts: that the payment window has closed proves nothing. */
  async query() {
    const { data } = await client.request<{ years: number }>({ url: '/membership' })
    this.setData({ years: data.years })
  },

  async buy() {
    const { years } = this.data
    this.setData({ message: '' })
    try {
      await client.pay({ url: '/membership' })
      await this.query()
    } catch (error) {
      // It may have been paid all the same.
      const isOpen = error instanceof ClientError && error.code === 'payment_failed'
      if (isOpen) await this.query().catch(() => undefined)
      if (this.data.years === years) this.setData({ message: textOf(error) })
    }
  },
})
