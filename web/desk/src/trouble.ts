// Why this page is no telephone, in words, with the mend; empty: it is one, or was not to be.
import { computed } from 'vue'

import { trouble as microphone } from './devices'
import { t } from './language'
import { phone } from './phone'

export const phoneTrouble = computed(() => ({
  '': '', microphone: t.value.microphoneTroubles[microphone.value ?? 'missing'], taken: t.value.phoneTaken, elsewhere: t.value.phoneElsewhere,
  refused: t.value.phoneRefused,
})[phone.trouble])
