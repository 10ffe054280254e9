import { InvalidArgumentError } from 'commander';

const isNumeral = (text: string): boolean => /^\d+(\.\d+)?$/.test(text);

/** Reads a number from `min` to `max`; commander turns what this throws into wrong usage. */
export const numberFrom =
  (min: number, max: number) =>
  (text: string): number => {
    const number = Number(text);
    if (isNumeral(text) && number >= min && number <= max) return number;
    throw new InvalidArgumentError(`It must be a number from ${min} to ${max}.`);
  };

/** Reads a whole number from `min` to `max`. */
export const wholeNumberFrom =
  (min: number, max: number) =>
  (text: string): number => {
    const number = Number(text);
    if (isNumeral(text) && Number.isInteger(number) && number >= min && number <= max) return number;
    throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`);
  };
