import { tool } from '../../.ci/tools.mjs'

/** Where each peer is, or why it is not there. */
export async function installPeers(peers) {
  const found = new Map()
  const about = { about: 'for the comparison only' }
  const common = peers.filter(({ isRare }) => !isRare)
  try {
    // All at once, which is quicker.
    const packages = common.flatMap((peer) => peer.packages)
    const folder = await tool('client-peers', packages, about)
    for (const peer of common) found.set(peer, { folder })
  } catch {
    console.log('That failed, so each is installed by itself.')
  }
  for (const peer of peers.filter((peer) => !found.has(peer))) {
    const title = `client-peer-${peer.packages[0].replace(/\W+/g, '-')}`
    const attempt = tool(title, peer.packages, about)
    found.set(peer, await attempt.then((folder) => ({ folder }), problemOf))
  }
  return found
}

function problemOf({ message }) {
  return { problem: /E404/.test(message) ? 'not in this registry' : 'not installed' }
}
