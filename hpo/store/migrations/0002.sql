-- What a run took of machines that are charged for, as JSON; null where its launcher does not say.

alter table run add column usage text;
