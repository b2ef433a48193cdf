// Pinyin initials of Chinese text: 社会保障卡 -> shbzk. The browser sorts characters by their pinyin; the first that sorts before
// a letter's first character begins with the letter before. A character that is read in two ways has its usual one.
const FIRST = '阿八嚓哒妸发旮哈讥咔垃痳拏噢妑七呥扨它穵夕丫帀'
const LETTERS = 'abcdefghjklmnopqrstwxyz'
const order = new Intl.Collator('zh-CN-u-co-pinyin')

function initial(sign: string): string {
  if (!/\p{Script=Han}/u.test(sign)) return sign.toLowerCase()
  let place = FIRST.length - 1
  while (place > 0 && order.compare(FIRST[place] as string, sign) > 0) place--
  return LETTERS[place] as string
}

export function initials(text: string): string {
  return [...text].map(initial).join('')
}

export interface Topic {
  readonly category: string
  readonly topic: string
}

/** How well what is typed fits: 0 not at all; beginnings are better than middles, the topic better than its category. */
function fit({ category, topic }: Topic, typed: string): number {
  const [of, ofCategory] = [initials(topic), initials(category)]
  if (topic === typed || of === typed) return 6
  if (topic.startsWith(typed) || of.startsWith(typed)) return 5
  if (topic.includes(typed)) return 4
  if (of.includes(typed)) return 3
  if (category.includes(typed) || ofCategory.startsWith(typed)) return 2
  return ofCategory.includes(typed) ? 1 : 0
}

/** The topics that fit, the best first; all of them while nothing is typed. */
export function fitting(topics: readonly Topic[], typed: string): readonly Topic[] {
  const wanted = typed.trim().toLowerCase()
  if (wanted === '') return topics
  return topics
    .map((topic, place) => ({ topic, place, how: fit(topic, wanted) }))
    .filter(({ how }) => how > 0)
    .sort((a, b) => b.how - a.how || a.place - b.place)
    .map(({ topic }) => topic)
}
