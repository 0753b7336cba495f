DROP TABLE receivers, notices;
