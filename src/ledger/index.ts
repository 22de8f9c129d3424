export { addCharges, chargeFor, milliGpuHours, noCharge, type Charge, type Price } from './charge.ts';
