/** Events of this name are as large as AEP accepts them, and over what Profile takes here. */
export const LARGE_NAME = 'teaTastingBooked';
/** Events of this name have a field that the schema lacks, once the relay has its override. */
export const ODD_NAME = 'tierRenewed';
