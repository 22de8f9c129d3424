export { AccessTimes, type AccessWait, type InvestorReclaim } from './accessTimes.ts';
export { SchedulingRecord } from './schedulingRecord.ts';
