// What the page speaks: Chinese until somebody asks for English, and then that, on this machine.
import { computed, ref, watchEffect } from 'vue'

import { type Words, en, zh } from './words'

export type Language = 'zh-CN' | 'en'

const KEPT = 'rexian.language'

export const language = ref<Language>(localStorage.getItem(KEPT) === 'en' ? 'en' : 'zh-CN')

/** The words of the present language; use as `t.ready` in a template, `t.value.ready` in code. */
export const t = computed<Words>(() => (language.value === 'en' ? en : zh))

export function speak(wanted: Language): void {
  language.value = wanted
  localStorage.setItem(KEPT, wanted)
}

watchEffect(() => {
  document.documentElement.lang = language.value
})

/** A name that comes from the hotline's files, as a person reads it; one that the page does not know, as it is. */
export function named(kind: 'queues' | 'choices' | 'outcomes', name: string): string {
  return t.value[kind][name] ?? name
}
