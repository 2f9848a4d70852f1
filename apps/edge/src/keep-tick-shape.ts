// A file of its own, which the program loads before all others: a bundle evaluates the packages that it imports before its own code.
import '@callpass/program/keep-tick-shape';
