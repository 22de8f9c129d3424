export { Caches } from './caches.ts';
