/** Whether it looks like a ticket, which is never an access token. */
export const isTicket = (text: string): boolean => text.startsWith('wxt.')
