export interface User {
  readonly id: string
  readonly name: string
}

export interface Order {
  readonly id: string
  readonly title: string
  readonly price: number
}

/** Users and their orders, in memory. With a database this is two queries; the README shows the upsert. */
export function createUsers() {
  const users = new Map<string, User>()
  const orders = new Map<string, Order[]>()

  return {
    /** The user of a WeChat account. An openid means something only together with its AppID. */
    upsert(appId: string, openid: string): User {
      const account = `${appId} ${openid}`
      const known = users.get(account)
      if (known) return known

      const id = String(users.size + 1)
      const user = { id, name: `顾客 ${id} 号` }
      users.set(account, user)
      orders.set(id, [{ id: `A-${id}001`, title: '新人拿铁', price: 9.9 }])
      return user
    },

    ordersOf: (userId: string): readonly Order[] => orders.get(userId) ?? [],
  }
}
