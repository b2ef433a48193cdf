// Which of the page's views its address asks for: `/desk/#board` is the wallboard, so a screen can be set up with that address.
import { ref } from 'vue'

export type Place = 'desk' | 'board'

const asked = (): Place => (location.hash === '#board' || location.hash.startsWith('#board-') ? 'board' : 'desk')

export const place = ref<Place>(asked())

addEventListener('hashchange', () => { place.value = asked() })

export function go(to: Place): void {
  location.hash = to === 'desk' ? '' : to
}
