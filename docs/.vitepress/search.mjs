// VitePress sends these functions to the browser as text: each has to be complete in itself.

/**
 * What a page is found by. Chinese has no spaces, and how a sentence is cut into words depends on the sentence; so a
 * page is found by every character and every two that stand together, and a query is cut into words.
 */
export function tokensOfPage(text) {
  const tokens = []
  for (const [word] of text.matchAll(/[\p{L}\p{N}\p{M}_]+/gu)) {
    for (const [run] of word.matchAll(/\p{Script=Han}+|\P{Script=Han}+/gu)) {
      if (!/\p{Script=Han}/u.test(run)) {
        tokens.push(run)
        // `invalid_grant` is found as a whole, and by each of its words.
        if (run.includes('_')) tokens.push(...run.split('_').filter(Boolean))
        continue
      }
      const characters = [...run]
      characters.forEach((character, index) => {
        tokens.push(character)
        if (index > 0) tokens.push(characters[index - 1] + character)
      })
    }
  }
  return tokens
}

/** The words of what somebody looks for. Of a longer Chinese word all that {@link tokensOfPage} has of it. */
export function tokensOfQuery(text) {
  const tokens = []
  // Browsers of before 2024 may not have it; they look for what spaces and punctuation leave.
  const words = Intl.Segmenter
    ? [...new Intl.Segmenter('zh', { granularity: 'word' }).segment(text)]
    : [{ segment: text, isWordLike: true }]
  for (const { segment, isWordLike } of words) {
    if (!isWordLike) continue
    for (const [run] of segment.matchAll(
      /\p{Script=Han}+|(?:(?!\p{Script=Han})[\p{L}\p{N}\p{M}_])+/gu,
    )) {
      const characters = [...run]
      if (!/\p{Script=Han}/u.test(run) || characters.length < 3) {
        tokens.push(run)
        continue
      }
      for (let index = 1; index < characters.length; index++) {
        tokens.push(characters[index - 1] + characters[index])
      }
    }
  }
  return tokens
}
