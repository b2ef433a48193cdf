import { createApp } from 'vue'

import './style.css'
import Page from './Page.vue'

createApp(Page).mount('#page')
