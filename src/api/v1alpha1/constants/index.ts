export * from './conditions.ts';
export * from './events.ts';
export * from './identity.ts';
export * from './labels.ts';
export * from './reasons.ts';
