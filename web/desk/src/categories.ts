// What conversations are about, by the centre's own table; asked for once a sign-in.
import { ref } from 'vue'

import { api } from './api'

export const categories = ref<readonly { readonly name: string; readonly topics: readonly string[] }[]>([])

export async function learn(): Promise<void> {
  while (categories.value.length === 0) {
    try {
      categories.value = (await api.categories()).categories
    } catch {
      await new Promise((wake) => setTimeout(wake, 2000))
    }
  }
}
