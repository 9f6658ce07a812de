export { attackContext } from '../core/attack-context.ts';
